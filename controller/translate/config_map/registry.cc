#include "controller/translate/config_map/registry.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "common/strings.h"
#include "controller/translate/config_map/access_options.h"
#include "controller/translate/config_map/annotation_options.h"
#include "controller/translate/config_map/buffering_options.h"
#include "controller/translate/config_map/client_address_options.h"
#include "controller/translate/config_map/client_options.h"
#include "controller/translate/config_map/compression_options.h"
#include "controller/translate/config_map/header_options.h"
#include "controller/translate/config_map/health_options.h"
#include "controller/translate/config_map/hsts_options.h"
#include "controller/translate/config_map/http2_options.h"
#include "controller/translate/config_map/limit_options.h"
#include "controller/translate/config_map/log_options.h"
#include "controller/translate/config_map/reader.h"
#include "controller/translate/config_map/redirect_options.h"
#include "controller/translate/config_map/stream_options.h"
#include "controller/translate/config_map/tls_options.h"
#include "controller/translate/config_map/tracing_options.h"
#include "controller/translate/config_map/upstream_options.h"
#include "controller/translate/config_map/without_effect.h"

namespace headgate::translate {
namespace {

struct Family {
  std::span<const std::string_view> names;
  void (*read)(OptionReader& reader, GlobalSettings& global);
};

// In the order in which they are read; none depends on another.
const std::array<Family, 17> kFamilies = {{
    {kAnnotationOptions, ReadAnnotationOptions},
    {kRedirectOptions, ReadRedirectOptions},
    {kHstsOptions, ReadHstsOptions},
    {kTlsOptions, ReadTlsOptions},
    {kClientOptions, ReadClientOptions},
    {kLogOptions, ReadLogOptions},
    {kClientAddressOptions, ReadClientAddressOptions},
    {kAccessOptions, ReadAccessOptions},
    {kBufferingOptions, ReadBufferingOptions},
    {kCompressionOptions, ReadCompressionOptions},
    {kHttp2Options, ReadHttp2Options},
    {kUpstreamOptions, ReadUpstreamOptions},
    {kHealthOptions, ReadHealthOptions},
    {kLimitOptions, ReadLimitOptions},
    {kHeaderOptions, ReadHeaderOptions},
    {kStreamOptions, ReadStreamOptions},
    {kTracingOptions, ReadTracingOptions},
}};

// How NGINX is run, not what it serves. Sorted.
constexpr std::string_view kMeaningless[] = {
    "client-header-buffer-size",    "enable-aio-write",           "enable-multi-accept",
    "enable-serial-reloads",        "http2-max-field-size",       "http2-max-header-size",
    "http2-max-requests",           "lua-shared-dicts",           "map-hash-bucket-size",
    "max-worker-open-files",        "opentelemetry-config",       "proxy-headers-hash-bucket-size",
    "proxy-headers-hash-max-size",  "proxy-stream-responses",     "reuse-port",
    "server-name-hash-bucket-size", "server-name-hash-max-size",  "ssl-buffer-size",
    "ssl-session-cache-size",       "variables-hash-bucket-size", "variables-hash-max-size",
    "worker-cpu-affinity",
};

bool IsKnown(std::string_view name) {
  const auto known = EffectiveOptions();
  const auto ineffective = IneffectiveOptions();
  return std::find(known.begin(), known.end(), name) != known.end() ||
         std::any_of(ineffective.begin(), ineffective.end(),
                     [&](const IneffectiveOption& option) { return option.name == name; }) ||
         std::binary_search(std::begin(kMeaningless), std::end(kMeaningless), name);
}

void CheckNames(const kube::ConfigMap& config_map, std::vector<Diagnostic>& diagnostics) {
  std::string unknown;
  for (const auto& [name, value] : config_map.data) {
    if (!IsKnown(name)) StrAppend(&unknown, unknown.empty() ? "" : ", ", name);
  }
  if (unknown.empty()) return;
  diagnostics.push_back({kube::Kind::kConfigMap, config_map.meta.key, "data",
                         Reason::kUnknownOption, Severity::kWarning,
                         StrCat("not known here and without effect: ", unknown)});
}

}  // namespace

GlobalSettings ReadConfigMap(const kube::ConfigMap* config_map, const Options& options,
                             std::vector<Diagnostic>& diagnostics) {
  GlobalSettings global;
  global.settings = options.settings;
  global.ingress.ssl_passthrough = options.ssl_passthrough;
  global.annotations.prefix = options.annotation_prefix;
  // Without the object all options have their defaults, which families give even so.
  static const kube::ConfigMap kNone;
  if (config_map == nullptr) {
    config_map = &kNone;
    if (options.config_map) {
      diagnostics.push_back({kube::Kind::kConfigMap, *options.config_map, "metadata.name",
                             Reason::kConfigMapNotFound, Severity::kWarning,
                             "the ConfigMap of --configmap is not there; all options have their "
                             "defaults"});
    }
  }
  CheckNames(*config_map, diagnostics);
  OptionReader reader(*config_map, diagnostics);
  for (const Family& family : kFamilies) family.read(reader, global);
  ReportIneffective(reader);
  return global;
}

std::vector<std::string_view> EffectiveOptions() {
  std::vector<std::string_view> names;
  for (const Family& family : kFamilies)
    names.insert(names.end(), family.names.begin(), family.names.end());
  return names;
}

}  // namespace headgate::translate
