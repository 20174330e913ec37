#include "dataplane/config/compile_balancing.h"

#include <utility>

#include "dataplane/config/compile_template.h"
#include "dataplane/config/compile_values.h"

namespace headgate::config {
namespace {

absl::StatusOr<balance::Policy> CompilePolicy(v1::Balancing::Policy policy) {
  switch (policy) {
    case v1::Balancing::POLICY_UNSPECIFIED:
    case v1::Balancing::ROUND_ROBIN: return balance::Policy::kRoundRobin;
    case v1::Balancing::LEAST_REQUEST: return balance::Policy::kLeastRequest;
    case v1::Balancing::EWMA: return balance::Policy::kEwma;
    case v1::Balancing::RANDOM: return balance::Policy::kRandom;
    case v1::Balancing::IP_HASH: return balance::Policy::kHash;
    default: return FieldError("balancing.policy", "unknown policy");
  }
}

absl::StatusOr<Balancing::Affinity> CompileAffinity(v1::Balancing::Affinity affinity) {
  switch (affinity) {
    case v1::Balancing::AFFINITY_UNSPECIFIED: return Balancing::Affinity::kNone;
    case v1::Balancing::BALANCED: return Balancing::Affinity::kBalanced;
    case v1::Balancing::PERSISTENT: return Balancing::Affinity::kPersistent;
    default: return FieldError("balancing.affinity", "unknown affinity");
  }
}

}  // namespace

absl::StatusOr<Balancing> CompileBalancing(const v1::Balancing& in) {
  Balancing out;
  HEADGATE_ASSIGN_OR_RETURN(out.policy.policy, CompilePolicy(in.policy()));
  HEADGATE_ASSIGN_OR_RETURN(out.affinity, CompileAffinity(in.affinity()));
  if (in.policy() == v1::Balancing::IP_HASH) out.key = Balancing::HashKey::kClientAddress;
  if (in.has_hash_by()) {
    HEADGATE_ASSIGN_OR_RETURN(out.hash_by, CompileTemplate("balancing.hash_by", in.hash_by()));
    out.key = Balancing::HashKey::kTemplate;
    out.policy.policy = balance::Policy::kHash;
  }
  if (out.key == Balancing::HashKey::kNone) return out;
  if (in.hash_bound_percent() != 0) {
    HEADGATE_RETURN_IF_ERROR(
        CheckRange("balancing.hash_bound_percent", in.hash_bound_percent(), 101, 1000));
    out.policy.bound_percent = in.hash_bound_percent();
  }
  if (in.hash_subset_size() != 0) {
    HEADGATE_RETURN_IF_ERROR(
        CheckRange("balancing.hash_subset_size", in.hash_subset_size(), 1, 1'000'000));
    out.policy.policy = balance::Policy::kHashSubset;
    out.policy.subset_size = in.hash_subset_size();
  }
  // Sessions have places of their own on the ring, by endpoint.
  if (out.affinity == Balancing::Affinity::kBalanced)
    out.policy = {.policy = balance::Policy::kHash};
  return out;
}

}  // namespace headgate::config
