#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/config/cluster_handle.h"
#include "dataplane/config/tracing.h"
#include "dataplane/policy/canary.h"
#include "dataplane/policy/cors.h"
#include "dataplane/policy/header_edits.h"
#include "dataplane/policy/response_rewrites.h"

namespace headgate::config {

// proto/headgate/v1/headers.proto, Canary.
struct CanaryRoute {
  ClusterHandle cluster;
  ClusterHandle tls_cluster;  // the same unless the route says otherwise
  policy::CanaryRules rules;
  bool sessions_decided_anew = false;
};

// proto/headgate/v1/headers.proto, ErrorBackend.
struct ErrorBackend {
  static constexpr size_t kStatuses = 600;

  ClusterHandle cluster;  // invalid: the default backend
  std::bitset<kStatuses> statuses;
  bool local_only = false;
  bool serves_empty = false;

  bool Replaces(uint16_t status) const { return status < kStatuses && statuses[status]; }
};

// proto/headgate/v1/headers.proto, Mirror.
struct MirrorRoute {
  ClusterHandle cluster;
  policy::TextTemplate target;
  std::string host;
  bool without_body = false;
};

// What few routes have; routes of a host that have the same share it. Immutable.
struct RouteExtras {
  policy::HeaderPolicy headers;
  std::optional<policy::CorsPolicy> cors;
  policy::ResponseRewrites rewrites;
  std::optional<CanaryRoute> canary;
  std::optional<ErrorBackend> errors;
  std::optional<MirrorRoute> mirror;
  std::optional<RouteTracing> tracing;
  bool no_access_log = false;
  bool logs_rewrites = false;
  std::vector<policy::ConditionalReply> replies;  // the first that fits
  std::optional<bool> relative_redirects;         // here and below: absent, as the settings say
  std::optional<bool> port_in_https_redirects;
};

}  // namespace headgate::config
