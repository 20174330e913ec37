// A commit as the controller sends it, decoded and applied. Input: a Delta as protobuf text (as in
// the corpus) or on the wire. Whatever it holds, the builder refuses or takes each resource, names
// the field it refuses, and the result can be used.
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/text_format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/check.h"
#include "dataplane/config/config_builder.h"
#include "proto/headgate/v1/discovery.pb.h"

namespace {

using namespace std::string_view_literals;
using headgate::config::BuildResult;
using headgate::config::CompiledConfig;
using headgate::config::ConfigBuilder;

void Use(const CompiledConfig& config) {
  headgate::http::RequestHead request;
  request.method_text = "GET";
  request.target = "/a?b=c";
  request.fields.Add(headgate::http::FieldId::kOther, "x-a", "1");
  config.hosts->ForEach([&](const headgate::route::HostRoutes& host) {
    for (const std::string_view path : {"/"sv, "/a"sv, "/a/b/c"sv, "*"sv, ""sv}) {
      const auto* route = host.Match(request, path);
      if (route == nullptr) continue;
      HEADGATE_CHECK(route->host == host.host());
      if (const auto* forward = std::get_if<headgate::config::ForwardAction>(&route->action)) {
        HEADGATE_CHECK(!forward->targets.empty());
        uint32_t before = 0;
        for (const auto& target : forward->targets) {
          HEADGATE_CHECK(target.weight_end > before);
          before = target.weight_end;
        }
      }
    }
  });
}

void Check(const BuildResult& result, size_t upserts) {
  HEADGATE_CHECK(result.refusals.size() <= upserts);
  for (const auto& refusal : result.refusals) {
    HEADGATE_CHECK(refusal.reason.find(": ") != std::string::npos, refusal.reason);
  }
  for (const auto& update : result.update.clusters) {
    HEADGATE_CHECK(update.slot < result.update.slot_count);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const google::protobuf::LogSilencer silence;
  const std::string input(reinterpret_cast<const char*>(data), size);
  headgate::v1::Delta delta;
  if (!google::protobuf::TextFormat::ParseFromString(input, &delta)) {
    delta.Clear();
    if (!delta.ParseFromString(input)) return 0;
  }
  std::vector<const headgate::v1::Resource*> upserts;
  for (const auto& resource : delta.upserts()) upserts.push_back(&resource);
  const std::vector<std::string> removed(delta.removed().begin(), delta.removed().end());

  ConfigBuilder builder({});
  const BuildResult first = builder.Apply(upserts, {});
  HEADGATE_CHECK(first.update.config != nullptr);
  Check(first, upserts.size());
  Use(*first.update.config);
  const BuildResult second = builder.Apply(upserts, removed);
  Check(second, upserts.size());
  for (const std::string& name : first.dns_started) {
    const headgate::base::Address address = *headgate::base::Address::ParseIp("192.0.2.1", 0);
    builder.Resolved(name, {&address, 1});
  }
  Use(*builder.config());
  return 0;
}
