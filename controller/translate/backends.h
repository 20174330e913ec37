// A Service port as an Ingress names it becomes a Cluster and its Endpoints.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "controller/kube/objects.h"
#include "controller/state/cluster_state.h"
#include "controller/translate/annotations/settings.h"
#include "controller/translate/names.h"
#include "controller/translate/options.h"
#include "controller/translate/translation.h"

namespace headgate::translate {

// How a Service port is spoken to and treated, as far as an Ingress says. Never kAutoHttp, which is
// two of them.
struct UpstreamPolicy {
  BackendProtocol protocol = BackendProtocol::kUnspecified;
  UpstreamTls tls;  // its default where the protocol has no use for it
  UpstreamSettings upstream;
  UpstreamProxyProtocol proxy_protocol = UpstreamProxyProtocol::kOff;
  friend auto operator<=>(const UpstreamPolicy&, const UpstreamPolicy&) = default;
};

// A cluster: one way to speak to a Service port. All those of a port share its endpoints.
struct ClusterRef {
  BackendRef backend;
  UpstreamPolicy policy;
  friend auto operator<=>(const ClusterRef&, const ClusterRef&) = default;
};

// The clusters that routes of an Ingress with these settings lead to.
struct ClusterChoice {
  ClusterRef plain;  // for requests that came over plain HTTP
  ClusterRef tls;    // for those that came over TLS
};
ClusterChoice ChooseClusters(const BackendRef& backend, const IngressSettings& settings);

// Where an Ingress does not say how, the name of the backend; else with a further part.
std::string ClusterName(const ClusterRef& cluster);

// Why a backend has no cluster.
enum class BackendProblem : uint8_t {
  kNone = 0,
  kNoService,
  kNoPort,           // the Service has no such port
  kNotTcp,           // the port is UDP or SCTP
  kBadExternalName,  // loopback, link-local, malformed, or switched off
};

struct ClusterResult {
  ResourcePtr resource;  // null when there is a problem
  BackendProblem problem = BackendProblem::kNone;
  bool has_endpoints = false;  // false for a DNS name: there is no Endpoints resource
  // Whose endpoints it uses while its own are not available.
  std::optional<BackendRef> backup;
  std::vector<Diagnostic> diagnostics;  // about the Service
};

// A port by number is a port of the Service; by name, one of its port names or its named target
// ports. Protocol from the policy, else from .appProtocol. Of the upstream's settings the Service's
// annotations count most, the policy next, then `defaults`. `service` may be null.
ClusterResult TranslateCluster(const ClusterRef& ref, const kube::Service* service,
                               const UpstreamSettings& defaults, const Options& options);

// A Service port that is the backup of others, and needs endpoints but no cluster.
struct BackupResult {
  bool usable = false;  // it has endpoints, as far as its Service goes
  std::vector<Diagnostic> diagnostics;
};
BackupResult CheckBackup(const BackendRef& backup, const kube::Service* service,
                         const Options& options);

// Only the problem of the above, without building the resource.
BackendProblem CheckBackendRef(const BackendRef& backend, const kube::Service* service,
                               const Options& options);

struct EndpointsResult {
  ResourcePtr resource;
  bool empty = true;
  std::vector<Diagnostic> diagnostics;  // about slices
};

// The addresses of all slices, each once, sorted. Ready ones are READY, terminating ones that still
// serve are DRAINING, others are left out. REQUIRES: the cluster of the same backend has_endpoints.
EndpointsResult TranslateEndpoints(const BackendRef& backend, const kube::Service& service,
                                   const state::ClusterState::SliceList& slices,
                                   const Options& options);

// What an Ingress's reference to the backend suffers from; nothing when all is well.
std::vector<Diagnostic> DescribeProblem(const kube::Ingress& ingress, const std::string& field,
                                        const BackendRef& backend, BackendProblem problem);

}  // namespace headgate::translate
