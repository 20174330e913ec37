#pragma once

#include <cstdint>

#include "dataplane/balance/policy.h"
#include "dataplane/policy/text_template.h"

namespace headgate::config {

// How the endpoints of a cluster are used, where that is not plain round robin. Immutable.
struct Balancing {
  enum class HashKey : uint8_t { kNone, kClientAddress, kTemplate };
  enum class Affinity : uint8_t { kNone, kBalanced, kPersistent };

  balance::PolicySpec policy;
  HashKey key = HashKey::kNone;
  ::headgate::policy::TextTemplate hash_by;  // for kTemplate
  Affinity affinity = Affinity::kNone;

  bool needs_ring() const { return policy.uses_ring() || affinity == Affinity::kBalanced; }
  bool operator==(const Balancing&) const = default;
};

}  // namespace headgate::config
