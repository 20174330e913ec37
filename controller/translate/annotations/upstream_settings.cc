#include "controller/translate/annotations/upstream_settings.h"

namespace headgate::translate {
namespace {

template <typename T>
void Fill(std::optional<T>& mine, const std::optional<T>& weaker) {
  if (!mine) mine = weaker;
}

v1::Balancing::Policy ToPolicy(LoadBalance policy) {
  switch (policy) {
    case LoadBalance::kRoundRobin:
      return v1::Balancing::ROUND_ROBIN;
    case LoadBalance::kLeastRequest:
      return v1::Balancing::LEAST_REQUEST;
    case LoadBalance::kEwma:
      return v1::Balancing::EWMA;
    case LoadBalance::kRandom:
      return v1::Balancing::RANDOM;
    case LoadBalance::kIpHash:
      return v1::Balancing::IP_HASH;
  }
  return v1::Balancing::POLICY_UNSPECIFIED;
}

}  // namespace

void UpstreamSettings::FillFrom(const UpstreamSettings& weaker) {
  Fill(balancing.policy, weaker.balancing.policy);
  Fill(balancing.hash_by, weaker.balancing.hash_by);
  Fill(balancing.hash_subset_size, weaker.balancing.hash_subset_size);
  Fill(balancing.hash_bound_percent, weaker.balancing.hash_bound_percent);
  Fill(balancing.affinity, weaker.balancing.affinity);
  Fill(retries.budget_percent, weaker.retries.budget_percent);
  health.FillFrom(weaker.health);
}

void SetUpstream(const UpstreamSettings& settings, v1::Cluster& out) {
  SetHealth(settings.health, out);
  const BalancingSettings& balancing = settings.balancing;
  if (balancing.policy) out.mutable_balancing()->set_policy(ToPolicy(*balancing.policy));
  if (balancing.hash_by) {
    out.mutable_balancing()->mutable_hash_by()->ParseFromString(*balancing.hash_by);
  }
  if (balancing.hash_subset_size) {
    out.mutable_balancing()->set_hash_subset_size(*balancing.hash_subset_size);
  }
  if (balancing.hash_bound_percent) {
    out.mutable_balancing()->set_hash_bound_percent(*balancing.hash_bound_percent);
  }
  if (balancing.affinity) {
    out.mutable_balancing()->set_affinity(*balancing.affinity == Affinity::kBalanced
                                              ? v1::Balancing::BALANCED
                                              : v1::Balancing::PERSISTENT);
  }
  if (settings.retries.budget_percent) {
    out.mutable_retry_budget()->set_percent(*settings.retries.budget_percent);
  }
}

}  // namespace headgate::translate
