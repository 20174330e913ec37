#pragma once

#include <cstdint>

namespace headgate::balance {

enum class Policy : uint8_t {
  kRoundRobin,
  kLeastRequest,
  kEwma,
  kRandom,
  kHash,        // by PickContext::hash, on a ring
  kHashSubset,  // the same, to a few endpoints, and at random among these
};

// How a cluster's endpoints are used.
struct PolicySpec {
  Policy policy = Policy::kRoundRobin;
  // For kHash: no endpoint gets a new request while it has more than this percentage of the mean of
  // requests under way. 0: without bound; else above 100.
  uint32_t bound_percent = 0;
  // For kHashSubset: endpoints per subset, at least 1.
  uint32_t subset_size = 3;

  bool uses_ring() const { return policy == Policy::kHash || policy == Policy::kHashSubset; }
  bool operator==(const PolicySpec&) const = default;
};

}  // namespace headgate::balance
