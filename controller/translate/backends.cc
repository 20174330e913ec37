#include "controller/translate/backends.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/hash.h"
#include "common/strings.h"
#include "controller/translate/addresses.h"
#include "controller/translate/annotations/upstream_registry.h"
#include "controller/translate/emit.h"

namespace headgate::translate {
namespace {

using kube::EndpointPort;
using kube::EndpointSlice;
using kube::Kind;
using kube::PortRef;
using kube::Service;
using kube::ServicePort;
using kube::ServiceType;
using kube::TransportProtocol;

bool Selects(const PortRef& wanted, const ServicePort& port) {
  if (wanted.number != 0) return port.port == wanted.number;
  return port.name == wanted.name || port.target_port.name == wanted.name;
}

// The TCP port that is meant, else any other that is meant (same number, another protocol), else
// null. A port's own name goes before a target port's.
const ServicePort* FindPort(const PortRef& wanted, const Service& service) {
  if (wanted.empty()) return service.ports.empty() ? nullptr : &service.ports.front();
  const ServicePort* found = nullptr;
  const auto rank = [&](const ServicePort& port) {
    return (port.protocol == TransportProtocol::kTcp ? 2 : 0) +
           (wanted.number != 0 || port.name == wanted.name ? 1 : 0);
  };
  for (const ServicePort& port : service.ports) {
    if (!Selects(wanted, port)) continue;
    if (found == nullptr || rank(port) > rank(*found)) found = &port;
  }
  return found;
}

bool IsAllowedExternalName(const std::string& name, const Options& options) {
  if (!options.external_names) return false;
  if (const auto address = ParseIpAddress(name)) {
    return options.allow_loopback_endpoints || !(IsLoopback(*address) || IsLinkLocal(*address));
  }
  return IsDnsName(name) && (options.allow_loopback_endpoints || !IsLocalhostName(name));
}

std::optional<v1::Cluster::Protocol> ProtocolOf(std::string_view app_protocol) {
  std::string name(app_protocol);
  absl::AsciiStrToLower(&name);
  if (name.empty() || name == "http" || name == "kubernetes.io/ws") return v1::Cluster::HTTP1;
  if (name == "kubernetes.io/h2c" || name == "h2c" || name == "grpc") return v1::Cluster::H2C;
  if (name == "https" || name == "kubernetes.io/wss") return v1::Cluster::HTTPS;
  if (name == "grpcs" || name == "h2") return v1::Cluster::H2;
  return std::nullopt;
}

v1::Cluster::Protocol ToProtocol(BackendProtocol protocol) {
  switch (protocol) {
    case BackendProtocol::kHttps: return v1::Cluster::HTTPS;
    case BackendProtocol::kGrpc: return v1::Cluster::H2C;
    case BackendProtocol::kGrpcs: return v1::Cluster::H2;
    default: return v1::Cluster::HTTP1;
  }
}

std::string_view ProtocolTag(BackendProtocol protocol) {
  switch (protocol) {
    case BackendProtocol::kHttp: return "http";
    case BackendProtocol::kHttps: return "https";
    case BackendProtocol::kGrpc: return "grpc";
    case BackendProtocol::kGrpcs: return "grpcs";
    default: return "tls";
  }
}

v1::Cluster::ProxyProtocol ToProxyProtocol(UpstreamProxyProtocol version) {
  switch (version) {
    case UpstreamProxyProtocol::kV1: return v1::Cluster::PROXY_PROTOCOL_V1;
    case UpstreamProxyProtocol::kV2: return v1::Cluster::PROXY_PROTOCOL_V2;
    case UpstreamProxyProtocol::kOff: break;
  }
  return v1::Cluster::PROXY_PROTOCOL_UNSPECIFIED;
}

v1::TlsPolicy::Version ToVersion(uint8_t minor) {
  return minor == 2 ? v1::TlsPolicy::TLS_1_2 : v1::TlsPolicy::TLS_1_3;
}

void SetTls(const UpstreamTls& tls, const Service& service, v1::UpstreamTls& out) {
  const std::string own = service.type == ServiceType::kExternalName
                              ? service.external_name
                              : StrCat(service.meta.key.name, ".", service.meta.key.ns, ".svc");
  const std::string& name = tls.name.empty() ? own : tls.name;
  if (tls.send_name) out.set_server_name(name);
  if (tls.verify) {
    out.set_verify(true);
    out.set_verify_name(name);
    if (tls.verify_depth != 1) out.set_verify_depth(tls.verify_depth);
  }
  if (!tls.secret.name.empty()) out.set_secret(UpstreamSecretName(tls.secret));
  out.set_ciphers(tls.ciphers);
  if (tls.min_minor != 2) out.set_min_version(ToVersion(tls.min_minor));
  if (tls.max_minor != 3) out.set_max_version(ToVersion(tls.max_minor));
}

// Absent where a port would be its own backup.
std::optional<BackendRef> BackupOf(const BackendRef& backend,
                                   const HealthSettings::Backup& backup) {
  BackendRef ref{{backend.service.ns, backup.service}, backup.port.value_or(backend.port)};
  if (ref == backend) return std::nullopt;
  return ref;
}

std::string LogName(const BackendRef& backend) {
  if (backend.port.empty())
    return StrCat("custom-default-backend-", backend.service.ns, "-", backend.service.name);
  return StrCat(backend.service.ns, "-", backend.service.name, "-", backend.port.ToString());
}

struct Selection {
  BackendProblem problem = BackendProblem::kNone;
  const ServicePort* port = nullptr;  // null for an ExternalName Service that lists no ports
};

Selection Select(const BackendRef& backend, const Service* service, const Options& options) {
  if (service == nullptr) return {BackendProblem::kNoService, nullptr};
  const ServicePort* port = FindPort(backend.port, *service);
  if (service->type == ServiceType::kExternalName) {
    if (!IsAllowedExternalName(service->external_name, options)) {
      return {BackendProblem::kBadExternalName, nullptr};
    }
    if (port == nullptr && service->ports.empty() && backend.port.number != 0) return {};
  }
  if (port == nullptr) return {BackendProblem::kNoPort, nullptr};
  if (port->protocol != TransportProtocol::kTcp) return {BackendProblem::kNotTcp, port};
  return {BackendProblem::kNone, port};
}

std::string PortField(const Service& service, const ServicePort* port) {
  return port == nullptr ? std::string("spec.externalName")
                         : StrCat("spec.ports[", port - service.ports.data(), "]");
}

// The number to connect to on the endpoints of a subset; 0 when the subset does not serve the port.
uint16_t TargetPort(const ServicePort& port, const std::vector<EndpointPort>& subset_ports) {
  const uint16_t fallback = port.target_port.number != 0    ? port.target_port.number
                            : port.target_port.name.empty() ? port.port
                                                            : uint16_t{0};
  if (subset_ports.empty()) return fallback;
  for (const EndpointPort& candidate : subset_ports) {
    if (candidate.name == port.name && candidate.protocol == TransportProtocol::kTcp) {
      return candidate.port != 0 ? candidate.port : fallback;
    }
  }
  return 0;
}

// One address of the result. Ordered by what identifies an endpoint.
struct Target {
  const kube::Endpoint* endpoint = nullptr;
  const EndpointSlice* slice = nullptr;
  uint16_t port = 0;
  bool draining = false;

  bool SameAs(const Target& other) const {
    return endpoint->address == other.endpoint->address && port == other.port;
  }
  friend bool operator<(const Target& a, const Target& b) {
    if (a.endpoint->address != b.endpoint->address) {
      return a.endpoint->address < b.endpoint->address;
    }
    if (a.port != b.port) return a.port < b.port;
    if (a.draining != b.draining) return b.draining;  // a ready duplicate comes first and stays
    return a.slice->meta.key.name < b.slice->meta.key.name;
  }
};

void AppendEndpoint(const Target& target, v1::Endpoints& endpoints) {
  const kube::Endpoint& from = *target.endpoint;
  v1::Endpoint& to = *endpoints.add_endpoints();
  to.set_address(from.address.bytes.data(), from.address.size);
  to.set_port(target.port);
  to.set_state(target.draining ? v1::Endpoint::DRAINING : v1::Endpoint::READY);
  if (!from.target.empty()) to.set_target(StrCat(target.slice->meta.key.ns, "/", from.target));
  to.set_node(from.node);
  to.set_zone(from.zone);
}

}  // namespace

ClusterChoice ChooseClusters(const BackendRef& backend, const IngressSettings& settings) {
  const auto spoken = [&](BackendProtocol protocol) {
    ClusterRef ref{backend, {protocol, {}, settings.upstream, settings.upstream_proxy_protocol}};
    if (protocol != BackendProtocol::kHttp && protocol != BackendProtocol::kGrpc) {
      ref.policy.tls = settings.upstream_tls;
    }
    return ref;
  };
  if (settings.backend_protocol == BackendProtocol::kAutoHttp) {
    return {spoken(BackendProtocol::kHttp), spoken(BackendProtocol::kHttps)};
  }
  const ClusterRef same = spoken(settings.backend_protocol);
  return {same, same};
}

std::string ClusterName(const ClusterRef& cluster) {
  std::string name = ClusterName(cluster.backend);
  if (cluster.policy == UpstreamPolicy()) return name;
  const auto& [protocol, tls, upstream, proxy_protocol] = cluster.policy;
  const bool spoken = protocol != BackendProtocol::kUnspecified || tls != UpstreamTls();
  StrAppend(&name, "/", spoken ? ProtocolTag(protocol) : std::string_view("own"));
  if (tls != UpstreamTls()) {
    const std::string text = StrCat(int{tls.verify}, ",", tls.verify_depth, ",", int{tls.send_name},
                                    ",", int{tls.min_minor}, ",", int{tls.max_minor}, ",", tls.name,
                                    ",", tls.secret.ToString(), ",", tls.ciphers);
    StrAppend(&name, "-", absl::StrCat(absl::Hex(ContentHash(text), absl::kZeroPad16)));
  }
  if (upstream != UpstreamSettings()) {
    v1::Cluster settings;
    SetUpstream(upstream, settings);
    const std::string text = StrCat(settings.SerializeAsString(), " ", Describe(upstream.health),
                                    !upstream.service_address   ? ""
                                    : *upstream.service_address ? " service"
                                                                : " endpoints");
    StrAppend(&name, "-with-", absl::StrCat(absl::Hex(ContentHash(text), absl::kZeroPad16)));
  }
  switch (proxy_protocol) {
    case UpstreamProxyProtocol::kOff: break;
    case UpstreamProxyProtocol::kV1: StrAppend(&name, "-proxy1"); break;
    case UpstreamProxyProtocol::kV2: StrAppend(&name, "-proxy2"); break;
  }
  return name;
}

ClusterResult TranslateCluster(const ClusterRef& ref, const Service* service,
                               const UpstreamSettings& defaults, const Options& options) {
  const BackendRef& backend = ref.backend;
  ClusterResult result;
  const Selection selection = Select(backend, service, options);
  result.problem = selection.problem;
  if (selection.problem != BackendProblem::kNone) return result;

  v1::Resource resource;
  v1::Cluster& cluster = *resource.mutable_cluster();
  cluster.set_protocol(v1::Cluster::HTTP1);
  if (ref.policy.protocol != BackendProtocol::kUnspecified) {
    cluster.set_protocol(ToProtocol(ref.policy.protocol));
  } else if (selection.port != nullptr) {
    const auto protocol = ProtocolOf(selection.port->app_protocol);
    if (protocol) {
      cluster.set_protocol(*protocol);
    } else {
      result.diagnostics.push_back({Kind::kService, backend.service,
                                    PortField(*service, selection.port) + ".appProtocol",
                                    Reason::kUnsupportedProtocol, Severity::kWarning,
                                    StrCat("\"", selection.port->app_protocol,
                                           "\" is not a protocol we know; HTTP/1.1 is spoken")});
    }
  }
  const bool uses_tls =
      cluster.protocol() == v1::Cluster::HTTPS || cluster.protocol() == v1::Cluster::H2;
  if (uses_tls && ref.policy.tls != UpstreamTls()) {
    SetTls(ref.policy.tls, *service, *cluster.mutable_tls());
  }
  cluster.set_proxy_protocol(ToProxyProtocol(ref.policy.proxy_protocol));
  UpstreamSettings upstream = ReadServiceAnnotations(*service, result.diagnostics);
  upstream.FillFrom(ref.policy.upstream);
  upstream.FillFrom(defaults);
  if (!upstream.balancing.policy) upstream.balancing.policy = LoadBalance::kRoundRobin;
  SetUpstream(upstream, cluster);
  const bool external = service->type == ServiceType::kExternalName;
  const bool by_address =
      !external && upstream.service_address.value_or(false) && ParseIpAddress(service->cluster_ip);
  if (upstream.health.backup && !external && !by_address) {
    result.backup = BackupOf(backend, *upstream.health.backup);
    if (result.backup) {
      cluster.set_backup_endpoints(EndpointsName(*result.backup));
    } else {
      result.diagnostics.push_back(
          {Kind::kService, backend.service, PortField(*service, selection.port),
           Reason::kInvalidBackend, Severity::kWarning,
           StrCat("named by a backup-service as the backup of itself, by port ",
                  backend.port.ToString(), "; it has none")});
    }
  }
  if (by_address) {
    cluster.mutable_dns()->set_host(service->cluster_ip);
    cluster.mutable_dns()->set_port(selection.port->port);
  } else if (external) {
    cluster.mutable_dns()->set_host(service->external_name);
    cluster.mutable_dns()->set_port(selection.port != nullptr ? selection.port->port
                                                              : backend.port.number);
  } else {
    cluster.set_endpoints(EndpointsName(backend));
    result.has_endpoints = true;
  }
  cluster.set_log_name(LogName(backend));
  AddProvenance(resource, Kind::kService, backend.service, PortField(*service, selection.port));
  result.resource = Finish(ClusterName(ref), std::move(resource));
  return result;
}

BackupResult CheckBackup(const BackendRef& backup, const Service* service, const Options& options) {
  BackupResult result;
  const BackendProblem problem = Select(backup, service, options).problem;
  const bool external = service != nullptr && service->type == ServiceType::kExternalName;
  result.usable = problem == BackendProblem::kNone && !external;
  if (result.usable) return result;
  const bool missing = service == nullptr;
  result.diagnostics.push_back(
      {Kind::kService, backup.service,
       missing    ? "metadata.name"
       : external ? "spec.type"
                  : "spec.ports",
       missing    ? Reason::kServiceNotFound
       : external ? Reason::kInvalidBackend
                  : Reason::kServicePortNotFound,
       Severity::kWarning,
       StrCat("named by a backup-service, by port ", backup.port.ToString(), ", but ",
              missing    ? "is not there"
              : external ? "has no endpoints of its own, for it is of type ExternalName"
                         : "has no such TCP port")});
  return result;
}

BackendProblem CheckBackendRef(const BackendRef& backend, const Service* service,
                               const Options& options) {
  return Select(backend, service, options).problem;
}

EndpointsResult TranslateEndpoints(const BackendRef& backend, const Service& service,
                                   const state::ClusterState::SliceList& slices,
                                   const Options& options) {
  EndpointsResult result;
  v1::Resource resource;
  v1::Endpoints& endpoints = *resource.mutable_endpoints();
  const ServicePort* port = FindPort(backend.port, service);
  std::vector<Target> targets;
  AddProvenance(resource, Kind::kService, backend.service, "spec.ports");
  for (const auto& slice : slices) {
    AddProvenance(resource, Kind::kEndpointSlice, slice->meta.key, "");
    size_t index = 0;
    for (const kube::EndpointSubset& subset : slice->subsets) {
      const uint16_t number = port != nullptr ? TargetPort(*port, subset.ports) : uint16_t{0};
      for (const kube::Endpoint& endpoint : subset.endpoints) {
        const size_t position = index++;
        const bool draining = !endpoint.ready && endpoint.serving && endpoint.terminating;
        if (number == 0 || endpoint.address.size == 0) continue;
        if (!endpoint.ready && !draining) continue;
        if (IsLoopback(endpoint.address) && !options.allow_loopback_endpoints) {
          result.diagnostics.push_back({Kind::kEndpointSlice, slice->meta.key,
                                        StrCat("endpoints[", position, "].addresses"),
                                        Reason::kInvalidBackend, Severity::kWarning,
                                        "a loopback address would be this host; it is left out"});
          continue;
        }
        targets.push_back({&endpoint, slice.get(), number, draining});
      }
    }
  }
  std::sort(targets.begin(), targets.end());
  targets.erase(std::unique(targets.begin(), targets.end(),
                            [](const Target& a, const Target& b) { return a.SameAs(b); }),
                targets.end());
  for (const Target& target : targets) AppendEndpoint(target, endpoints);
  result.empty = targets.empty();
  result.resource = Finish(EndpointsName(backend), std::move(resource));
  return result;
}

std::vector<Diagnostic> DescribeProblem(const kube::Ingress& ingress, const std::string& field,
                                        const BackendRef& backend, BackendProblem problem) {
  const std::string service = backend.service.ToString();
  const auto one = [&](std::string_view subfield, Reason reason, std::string message) {
    return std::vector<Diagnostic>{{Kind::kIngress, ingress.meta.key, StrCat(field, subfield),
                                    reason, Severity::kWarning, std::move(message)}};
  };
  switch (problem) {
    case BackendProblem::kNone: return {};
    case BackendProblem::kNoService:
      return one(".service.name", Reason::kServiceNotFound,
                 StrCat("Service ", service, " does not exist; requests are answered 503"));
    case BackendProblem::kNoPort:
      return one(".service.port", Reason::kServicePortNotFound,
                 StrCat("Service ", service, " has no port \"", backend.port.ToString(),
                        "\"; requests are answered 503"));
    case BackendProblem::kNotTcp:
      return one(".service.port", Reason::kUnsupportedProtocol,
                 StrCat("port \"", backend.port.ToString(), "\" of Service ", service,
                        " is not TCP; requests are answered 503"));
    case BackendProblem::kBadExternalName:
      return one(".service.name", Reason::kInvalidBackend,
                 StrCat("Service ", service,
                        " has an external name that is not allowed; requests are answered 503"));
  }
  return {};
}

}  // namespace headgate::translate
