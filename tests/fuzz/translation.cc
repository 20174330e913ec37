// From Kubernetes objects to a snapshot, as a tenant can write them: nothing ends the process, what
// comes out is in proportion to what goes in, each resource and each diagnostic is whole, and
// object by object gives what all at once gives.
//
// The first byte chooses options; the rest is YAML. A Secret's "{{chain}}" and "{{key}}" stand for
// a sound certificate.
#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_replace.h"
#include "common/check.h"
#include "controller/kube/manifest_set.h"
#include "controller/translate/translate.h"
#include "controller/translate/translator.h"
#include "tests/support/certificates.h"

namespace headgate::translate {
namespace {

// What the data plane holds a resource to is the other side's matter (snapshot_compile); this is
// what every consumer relies on.
void CheckWhole(const std::vector<ResourcePtr>& resources) {
  std::string last;
  for (const ResourcePtr& resource : resources) {
    HEADGATE_CHECK(resource->name() > last || last.empty());
    last = resource->name();
    HEADGATE_CHECK(resource->hash() != 0);
    HEADGATE_CHECK(resource->body_case() != v1::Resource::BODY_NOT_SET);
    v1::Resource received;
    HEADGATE_CHECK(received.ParseFromString(resource->SerializeAsString()));
  }
}

void CheckWhole(const std::vector<Diagnostic>& diagnostics) {
  for (const Diagnostic& diagnostic : diagnostics) {
    HEADGATE_CHECK(!diagnostic.field.empty());
    const std::string line = diagnostic.ToString();
    HEADGATE_CHECK(line.find('\n') == std::string::npos);
    HEADGATE_CHECK(line.find("PRIVATE KEY-----") == std::string::npos);
  }
}

std::map<std::string, uint64_t> HashesOf(const std::vector<ResourcePtr>& resources) {
  std::map<std::string, uint64_t> hashes;
  for (const ResourcePtr& resource : resources) hashes[resource->name()] = resource->hash();
  return hashes;
}

void Try(uint8_t choice, std::string_view input) {
  static const auto pair = testing::MakeCertificate({"a.example"});
  static const std::string chain = absl::Base64Escape(pair.chain),
                           key = absl::Base64Escape(pair.key);
  const std::string text =
      absl::StrReplaceAll(std::string(input), {{"{{chain}}", chain}, {"{{key}}", key}});

  Options options;
  options.fallback_certificate = {"<fallback chain>", SecretBytes("<fallback key>")};
  options.config_map = kube::ObjectKey{"default", "options"};
  if ((choice & 1) != 0) options.default_backend = kube::ObjectKey{"default", "a"};
  if ((choice & 2) != 0) options.default_certificate = kube::ObjectKey{"default", "a"};
  options.allow_loopback_endpoints = (choice & 4) != 0;
  options.external_names = (choice & 8) == 0;
  state::ClusterState::Options relevance;
  relevance.relevance.watch_without_class = true;
  const absl::Time now = absl::FromUnixSeconds(2'000'000'000);

  kube::ManifestSet manifests;
  manifests.Load("a.yaml", text);
  const std::vector<kube::Change> changes = manifests.TakeChanges();
  kube::Replacement no_config_maps;
  no_config_maps.kind = kube::Kind::kConfigMap;

  state::ClusterState whole(relevance);
  whole.Apply(no_config_maps);
  for (const kube::Change& change : changes) whole.Apply(change);
  const Translation full = Translate(whole, {}, options, now);
  CheckWhole(full.resources);
  CheckWhole(full.diagnostics);
  size_t size = 0;
  for (const ResourcePtr& resource : full.resources) size += resource->ByteSizeLong();
  // A line of YAML can name a host, a certificate and a CA; each host repeats what its Ingress says
  // for all of its paths.
  HEADGATE_CHECK(size <= 64 * 1024 + 512 * text.size(), "a snapshot out of proportion");

  state::ClusterState state(relevance);
  state.Apply(no_config_maps);
  Translator translator(options);
  std::map<std::string, uint64_t> held;
  const auto catch_up = [&] {
    const TranslationUpdate update = translator.Update(state, state.TakeChanges(), now);
    for (const ResourcePtr& resource : update.upserted) held[resource->name()] = resource->hash();
    for (const std::string& name : update.removed) HEADGATE_CHECK(held.erase(name) == 1);
    CheckWhole(update.raised);
  };
  catch_up();  // of nothing, so that there is something to compare where the file has no object
  for (size_t i = changes.size(); i-- > 0;) {
    state.Apply(changes[i]);
    catch_up();
  }
  HEADGATE_CHECK(held ==
                 HashesOf(Translate(state, translator.last_good(), options, now).resources));
  const bool malformed =
      std::any_of(changes.begin(), changes.end(), [](const kube::Change& change) {
        return std::holds_alternative<kube::MalformedObject>(change);
      });
  if (!malformed) HEADGATE_CHECK(held == HashesOf(full.resources));

  // And away again.
  manifests.Remove("a.yaml");
  for (const kube::Change& change : manifests.TakeChanges()) state.Apply(change);
  catch_up();
}

}  // namespace
}  // namespace headgate::translate

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  headgate::translate::Try(data[0], {reinterpret_cast<const char*>(data) + 1, size - 1});
  return 0;
}
