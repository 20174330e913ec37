// How an upstream is to be treated, as far as annotations say: those of its Service, of the Ingress
// that leads to it, and the defaults of the ConfigMap.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "controller/translate/annotations/health_settings.h"
#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::translate {

// Which endpoint gets a request.
enum class LoadBalance : uint8_t { kRoundRobin = 0, kLeastRequest, kEwma, kRandom, kIpHash };

enum class Affinity : uint8_t { kBalanced = 0, kPersistent };

struct BalancingSettings {
  std::optional<LoadBalance> policy;
  std::optional<std::string> hash_by;          // a v1::TextTemplate, serialised
  std::optional<uint32_t> hash_subset_size;    // 0: no subsets
  std::optional<uint32_t> hash_bound_percent;  // 0: no bound
  std::optional<Affinity> affinity;
  friend auto operator<=>(const BalancingSettings&, const BalancingSettings&) = default;
};

struct RetrySettings {
  std::optional<uint32_t> budget_percent;
  friend auto operator<=>(const RetrySettings&, const RetrySettings&) = default;
};

// How much of an upstream may be in use at once, and what of it is kept ready. 0: no limit, but for
// max_pending.
struct LimitSettings {
  std::optional<uint32_t> max_connections;
  std::optional<uint32_t> max_pending;
  std::optional<uint32_t> max_requests_per_endpoint;
  std::optional<uint32_t> warm_connections;
  friend auto operator<=>(const LimitSettings&, const LimitSettings&) = default;
};

// Connections with endpoints, where they are not treated as all are.
struct ConnectionSettings {
  std::optional<bool> http_1_0;          // the protocol's version, where it is not HTTP/2
  std::optional<uint32_t> idle;          // kept by each worker with each endpoint, above 0
  std::optional<uint32_t> requests;      // on one connection, above 0
  std::optional<uint32_t> idle_timeout;  // seconds, above 0
  friend auto operator<=>(const ConnectionSettings&, const ConnectionSettings&) = default;
};

// One struct a family, each with optional fields. Absent means: whatever the weaker source says.
struct UpstreamSettings {
  BalancingSettings balancing;
  RetrySettings retries;
  HealthSettings health;
  LimitSettings limits;
  ConnectionSettings connections;
  std::optional<bool> service_address;  // the Service's (ClusterIP), not those of its endpoints
  friend auto operator<=>(const UpstreamSettings&, const UpstreamSettings&) = default;

  // Takes from `weaker` what is absent here.
  void FillFrom(const UpstreamSettings& weaker);
};

// Puts what is given, and nothing else, into the message (all but service_address): settings that
// differ give messages that differ, for clusters are named after them (backends.h).
void SetUpstream(const UpstreamSettings& settings, v1::Cluster& out);
// The same for a part of them. REQUIRES: the protocol of `out` is set, or not to be known.
void SetConnections(const ConnectionSettings& settings, v1::Cluster& out);

}  // namespace headgate::translate
