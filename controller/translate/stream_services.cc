#include "controller/translate/stream_services.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/strings.h"
#include "controller/translate/annotations/values.h"
#include "controller/translate/emit.h"

namespace headgate::translate {
namespace {

using kube::Kind;
using kube::ObjectKey;

constexpr std::string_view kForm =
    "NAMESPACE/SERVICE:PORT, and perhaps :PROXY for a header on connections, and another :PROXY "
    "for one to endpoints";

struct Entry {
  BackendRef backend;
  bool takes_header = false;
  bool sends_header = false;
};

std::optional<uint16_t> ParsePort(std::string_view text) {
  uint32_t port = 0;
  if (text.empty() || text.front() < '1' || text.front() > '9') return std::nullopt;
  if (!absl::SimpleAtoi(ToAbsl(text), &port) || port > 65535) return std::nullopt;
  return static_cast<uint16_t>(port);
}

// Empty: no header. Nothing: neither that nor PROXY.
std::optional<bool> ParseHeader(std::string_view text) {
  if (text.empty()) return false;
  if (absl::EqualsIgnoreCase(ToAbsl(text), "PROXY")) return true;
  return std::nullopt;
}

std::optional<Entry> ParseEntry(std::string_view text) {
  const std::vector<std::string> parts = absl::StrSplit(ToAbsl(text), ':');
  if (parts.size() < 2 || parts.size() > 4) return std::nullopt;
  const size_t slash = parts[0].find('/');
  if (slash == std::string::npos) return std::nullopt;
  Entry entry;
  entry.backend.service = {parts[0].substr(0, slash), parts[0].substr(slash + 1)};
  if (!IsNamePart(entry.backend.service.ns) || !IsNamePart(entry.backend.service.name))
    return std::nullopt;
  if (const auto number = ParsePort(parts[1])) {
    entry.backend.port.number = *number;
  } else if (IsNamePart(parts[1]) &&
             !absl::ascii_isdigit(static_cast<unsigned char>(parts[1].front()))) {
    entry.backend.port.name = parts[1];
  } else {
    return std::nullopt;
  }
  const auto takes =
      ParseHeader(parts.size() > 2 ? std::string_view(parts[2]) : std::string_view());
  const auto sends =
      ParseHeader(parts.size() > 3 ? std::string_view(parts[3]) : std::string_view());
  if (!takes || !sends) return std::nullopt;
  entry.takes_header = *takes;
  entry.sends_header = *sends;
  return entry;
}

class StreamTranslation {
 public:
  StreamTranslation(const std::function<const kube::Service*(const ObjectKey&)>& service_of,
                    const GlobalSettings& global, const Options& options)
      : service_of_(service_of), global_(global), options_(options) {}

  void Read(const StreamConfigMap& config_map, const std::optional<ObjectKey>& key,
            std::string_view flag,
            void (StreamTranslation::*read)(const kube::ConfigMap&, const std::string&,
                                            const std::string&)) {
    if (!key) return;
    if (config_map.object == nullptr) {
      if (config_map.missing) {
        Say(*key, "metadata.name", Reason::kConfigMapNotFound,
            StrCat("the ConfigMap of ", flag, " is not there"));
      }
      return;
    }
    for (const auto& [port, value] : config_map.object->data)
      (this->*read)(*config_map.object, port, value);
  }

  void ReadTcp(const kube::ConfigMap& config_map, const std::string& key,
               const std::string& value) {
    const ObjectKey& object = config_map.meta.key;
    const std::string field = StrCat("data.", key);
    const std::optional<uint16_t> port = ParsePort(key);
    if (!port) {
      return Say(object, field, Reason::kInvalidOption,
                 StrCat(QuoteValue(key), " is no port from 1 to 65535; the entry is left out"));
    }
    const std::optional<Entry> entry = ParseEntry(Trim(value));
    if (!entry) {
      return Say(
          object, field, Reason::kInvalidOption,
          StrCat(QuoteValue(value), " is not valid, the port is not opened; accepted: ", kForm));
    }
    result_.services.push_back(entry->backend.service);
    const BackendProblem problem =
        CheckBackendRef(entry->backend, service_of_(entry->backend.service), options_);
    if (problem != BackendProblem::kNone) return SayProblem(object, field, entry->backend, problem);

    ClusterRef cluster{entry->backend, {}};
    if (entry->sends_header) cluster.policy.proxy_protocol = UpstreamProxyProtocol::kV1;
    v1::Resource resource;
    v1::TcpService& service = *resource.mutable_tcp_service();
    service = global_.stream;
    service.set_port(*port);
    service.set_cluster(ClusterName(cluster));
    if (!entry->takes_header) service.clear_proxy_protocol();
    AddProvenance(resource, Kind::kConfigMap, object, field);
    result_.resources.push_back(Finish(StrCat("tcp/", *port), std::move(resource)));
    result_.clusters.push_back(std::move(cluster));
  }

  void ReadUdp(const kube::ConfigMap& config_map, const std::string& key,
               const std::string& /*value*/) {
    Say(config_map.meta.key, StrCat("data.", key), Reason::kUnsupportedProtocol,
        "UDP is not passed on; the port is not opened");
  }

  StreamServices Finished() && {
    std::sort(result_.resources.begin(), result_.resources.end(),
              [](const auto& a, const auto& b) { return a->name() < b->name(); });
    return std::move(result_);
  }

 private:
  void Say(const ObjectKey& object, std::string field, Reason reason, std::string message) {
    result_.diagnostics.push_back({Kind::kConfigMap, object, std::move(field), reason,
                                   Severity::kWarning, std::move(message)});
  }

  void SayProblem(const ObjectKey& object, const std::string& field, const BackendRef& backend,
                  BackendProblem problem) {
    const std::string service = backend.service.ToString();
    const auto say = [&](Reason reason, std::string what) {
      Say(object, field, reason, what + "; the port is not opened");
    };
    switch (problem) {
      case BackendProblem::kNone: return;
      case BackendProblem::kNoService:
        return say(Reason::kServiceNotFound, StrCat("Service ", service, " does not exist"));
      case BackendProblem::kNoPort:
        return say(Reason::kServicePortNotFound,
                   StrCat("Service ", service, " has no port \"", backend.port.ToString(), "\""));
      case BackendProblem::kNotTcp:
        return say(Reason::kUnsupportedProtocol, StrCat("port \"", backend.port.ToString(),
                                                        "\" of Service ", service, " is not TCP"));
      case BackendProblem::kBadExternalName:
        return say(Reason::kInvalidBackend,
                   StrCat("Service ", service, " has an external name that is not allowed"));
    }
  }

  const std::function<const kube::Service*(const ObjectKey&)>& service_of_;
  const GlobalSettings& global_;
  const Options& options_;
  StreamServices result_;
};

}  // namespace

StreamServices TranslateStreamServices(
    const StreamConfigMap& tcp, const StreamConfigMap& udp,
    const std::function<const kube::Service*(const kube::ObjectKey&)>& service_of,
    const GlobalSettings& global, const Options& options) {
  StreamTranslation translation(service_of, global, options);
  translation.Read(tcp, options.tcp_services, "--tcp-services-configmap",
                   &StreamTranslation::ReadTcp);
  translation.Read(udp, options.udp_services, "--udp-services-configmap",
                   &StreamTranslation::ReadUdp);
  return std::move(translation).Finished();
}

}  // namespace headgate::translate
