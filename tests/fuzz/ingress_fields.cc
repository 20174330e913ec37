// Whatever an Ingress says, in annotations of any name and in its fields, from translation to what
// the data plane compiles: nothing ends the process, no resource is refused, and an Ingress of
// somebody else stays exactly as it is.
//
// Input: records NAME=VALUE with a zero byte between them. host, path, type, service, port, secret
// and uid are fields; option:NAME is a key of the ConfigMap; any other name is an annotation,
// without a slash one of ingress-nginx.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/check.h"
#include "common/strings.h"
#include "controller/kube/json.h"
#include "controller/translate/annotations/reader.h"
#include "controller/translate/translate.h"
#include "dataplane/config/config_builder.h"
#include "tests/support/certificates.h"
#include "tests/support/kube_objects.h"

namespace headgate::translate {
namespace {

using headgate::testing::MakeCertificate;

constexpr size_t kMaxRecords = 64;
constexpr absl::Time kNow = absl::FromUnixSeconds(2'000'000'000);

struct Written {
  kube::Ingress ingress;
  kube::ConfigMap options;
};

// As it comes from an API server, whose JSON is UTF-8.
std::string AsText(const std::string& bytes) {
  using kube::Json;
  return Json::parse(Json(bytes).dump(-1, ' ', false, Json::error_handler_t::replace))
      .get<std::string>();
}

void SetAnnotation(kube::StringMap& annotations, std::string name, std::string value) {
  std::map<std::string, std::string> sorted(annotations.begin(), annotations.end());
  sorted[std::move(name)] = std::move(value);
  annotations.assign(sorted.begin(), sorted.end());
}

Written Read(std::string_view input) {
  Written out;
  out.ingress = headgate::testing::SimpleIngress("tenant", "fuzzed", "fuzzed.test",
                                                 headgate::testing::Backend("web", 80));
  out.ingress.meta.creation_time = 2;
  out.options.meta = headgate::testing::Meta("default", "options");
  kube::IngressRule& rule = out.ingress.rules.front();
  kube::IngressPath& path = rule.paths.front();
  size_t records = 0;
  for (const absl::string_view record : absl::StrSplit(ToAbsl(input), '\0')) {
    if (++records > kMaxRecords) break;
    const std::pair<std::string, std::string> pair =
        absl::StrSplit(record, absl::MaxSplits('=', 1));
    const std::string name = AsText(pair.first), value = AsText(pair.second);
    uint32_t number = 0;
    if (name.empty()) continue;
    if (name == "host") {
      rule.host = value;
    } else if (name == "path") {
      path.path = value;
    } else if (name == "type") {
      path.type = value == "Exact" ? kube::PathType::kExact : kube::PathType::kPrefix;
    } else if (name == "service") {
      path.backend.service = value;
    } else if (name == "port") {
      const bool numeric = absl::SimpleAtoi(value, &number) && number > 0 && number < 65536;
      path.backend.port =
          numeric ? kube::PortRef{"", static_cast<uint16_t>(number)} : kube::PortRef{value, 0};
    } else if (name == "secret") {
      out.ingress.tls.push_back({{rule.host}, value});
    } else if (name == "uid") {
      out.ingress.meta.uid = value;
    } else if (name.starts_with("option:")) {
      SetAnnotation(out.options.data, name.substr(7), value);
    } else {
      const bool full = name.find('/') != std::string::npos;
      SetAnnotation(out.ingress.meta.annotations, full ? name : StrCat(kNginxPrefix, name), value);
    }
  }
  return out;
}

// All that surrounds the Ingress: a neighbour in another namespace, Services, a Secret and
// ConfigMaps to refer to.
void ApplySurroundings(const kube::ConfigMap& options, state::ClusterState& state) {
  static const auto pair = MakeCertificate({"fuzzed.test"});
  kube::Replacement config_maps;
  config_maps.kind = kube::Kind::kConfigMap;
  state.Apply(config_maps);
  kube::Ingress neighbour = headgate::testing::SimpleIngress(
      "neighbour", "shop", "shop.neighbour.example", headgate::testing::Backend("web", 80));
  neighbour.meta.creation_time = 1;
  kube::Secret secret;
  secret.meta = headgate::testing::Meta("tenant", "secret");
  secret.data = {{"auth", SecretBytes("a:{PLAIN}b\n")},
                 {"ca.crt", SecretBytes(pair.chain)},
                 {"tls.crt", SecretBytes(pair.chain)},
                 {"tls.key", SecretBytes(pair.key)}};
  kube::ConfigMap fields;
  fields.meta = headgate::testing::Meta("tenant", "fields");
  fields.data = {{"X-Own", "a"}};
  std::vector<kube::Object> objects = {headgate::testing::Class("headgate"), options, fields,
                                       secret, neighbour};
  for (const char* ns : {"tenant", "neighbour"}) {
    objects.emplace_back(headgate::testing::SimpleService(ns, "web", 80, 8080));
    objects.emplace_back(headgate::testing::Slice(ns, "web-1", "web", 8080,
                                                  {headgate::testing::Ipv4(192, 0, 2, 1)}));
  }
  for (kube::Object& object : objects) state.Apply(kube::Change(std::move(object)));
}

std::map<std::string, uint64_t> HashesOf(const Translation& translation) {
  std::map<std::string, uint64_t> hashes;
  for (const ResourcePtr& resource : translation.resources)
    hashes[resource->name()] = resource->hash();
  return hashes;
}

// As it arrives at the other end of the stream.
std::vector<v1::Resource> Received(const Translation& translation) {
  std::vector<v1::Resource> out(translation.resources.size());
  for (size_t i = 0; i < out.size(); ++i) {
    HEADGATE_CHECK(out[i].ParseFromString(translation.resources[i]->SerializeAsString()));
  }
  return out;
}

void Compile(const std::vector<v1::Resource>& resources) {
  std::vector<const v1::Resource*> upserts;
  for (const v1::Resource& resource : resources) upserts.push_back(&resource);
  config::ConfigBuilder builder({});
  const config::BuildResult result = builder.Apply(upserts, {});
  HEADGATE_CHECK(result.update.config != nullptr);
  for (const auto& refusal : result.refusals)
    HEADGATE_CHECK(false, StrCat(refusal.resource, ": ", refusal.reason));
}

void Try(std::string_view input) {
  static const auto fallback = MakeCertificate({"fallback.test"});
  Options options;
  options.fallback_certificate = {fallback.chain, SecretBytes(fallback.key)};
  options.config_map = kube::ObjectKey{"default", "options"};
  options.ssl_passthrough = true;
  const Written written = Read(input);

  state::ClusterState state{state::ClusterState::Options{}};
  ApplySurroundings(written.options, state);
  const std::map<std::string, uint64_t> alone = HashesOf(Translate(state, {}, options, kNow));
  state.Apply(kube::Change(kube::Object(written.ingress)));
  const Translation both = Translate(state, {}, options, kNow);
  for (const Diagnostic& diagnostic : both.diagnostics) {
    HEADGATE_CHECK(diagnostic.ToString().find('\n') == std::string::npos, diagnostic.ToString());
  }
  Compile(Received(both));

  // Whoever names the neighbour's host has a say there.
  if (input.find("neighbour") != std::string_view::npos) return;
  const std::map<std::string, uint64_t> together = HashesOf(both);
  for (const auto& [name, hash] : alone) {
    if (name.find("neighbour") == std::string::npos) continue;
    const auto found = together.find(name);
    HEADGATE_CHECK(found != together.end() && found->second == hash,
                   StrCat(name, " of somebody else has changed"));
  }
}

}  // namespace
}  // namespace headgate::translate

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  headgate::translate::Try({reinterpret_cast<const char*>(data), size});
  return 0;
}
