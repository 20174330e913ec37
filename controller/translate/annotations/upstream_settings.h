// How an upstream is to be treated, as far as annotations say: those of its Service, of the Ingress that leads to it, and
// the defaults of the ConfigMap.
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
  std::optional<std::string> hash_by;            // a v1::TextTemplate, serialised
  std::optional<uint32_t> hash_subset_size;      // 0: no subsets
  std::optional<uint32_t> hash_bound_percent;    // 0: no bound
  std::optional<Affinity> affinity;
  friend auto operator<=>(const BalancingSettings&, const BalancingSettings&) = default;
};

struct RetrySettings {
  std::optional<uint32_t> budget_percent;
  friend auto operator<=>(const RetrySettings&, const RetrySettings&) = default;
};

// One struct a family, each with optional fields. Absent means: whatever the weaker source says.
struct UpstreamSettings {
  BalancingSettings balancing;
  RetrySettings retries;
  HealthSettings health;
  friend auto operator<=>(const UpstreamSettings&, const UpstreamSettings&) = default;

  // Takes from `weaker` what is absent here.
  void FillFrom(const UpstreamSettings& weaker);
};

// Puts what is given, and nothing else, into the message: settings that differ give messages that differ, for clusters
// are named after them (backends.h).
void SetUpstream(const UpstreamSettings& settings, v1::Cluster& out);

}  // namespace headgate::translate
