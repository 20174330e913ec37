// What the requests of a route must pass: an Ingress's annotations over the defaults of the
// ConfigMap.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

#include "controller/translate/backends.h"
#include "controller/translate/config_map/settings.h"
#include "controller/translate/dns_cluster.h"
#include "controller/translate/model.h"
#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::translate {

// Why every request to the Ingress for a host is answered 503: what is to protect it cannot be put
// into effect.
enum class Denial : uint8_t {
  kNone = 0,
  kByAnnotation,  // which has its diagnostic
  kByOption,      // the same
  kNoOwnHost,     // its auth-url says $host, and this host stands for many
};
Denial DenialOf(const IngressModel& ingress, const IngressDefaults& defaults,
                std::string_view host);

inline bool IsDenied(const IngressModel& ingress, const IngressDefaults& defaults,
                     std::string_view host) {
  return DenialOf(ingress, defaults, host) != Denial::kNone;
}

// Whom data planes ask about requests; a Service of the cluster is asked at its endpoints.
using AuthCluster = std::variant<std::monostate, ClusterRef, DnsClusterRef>;

// `path`: of the route, as the Ingress has it. Leaves `policy` alone where nothing is asked for.
// The result is what the policy refers to.
AuthCluster SetAccess(const IngressModel& ingress, const IngressDefaults& defaults,
                      std::string_view host, std::string_view path, v1::RoutePolicy& policy);

}  // namespace headgate::translate
