#include "controller/translate/annotations/upstream_settings.h"

namespace headgate::translate {
namespace {

template <typename T>
void Fill(std::optional<T>& mine, const std::optional<T>& weaker) {
  if (!mine) mine = weaker;
}

v1::Balancing::Policy ToPolicy(LoadBalance policy) {
  switch (policy) {
    case LoadBalance::kRoundRobin: return v1::Balancing::ROUND_ROBIN;
    case LoadBalance::kLeastRequest: return v1::Balancing::LEAST_REQUEST;
    case LoadBalance::kEwma: return v1::Balancing::EWMA;
    case LoadBalance::kRandom: return v1::Balancing::RANDOM;
    case LoadBalance::kIpHash: return v1::Balancing::IP_HASH;
  }
  return v1::Balancing::POLICY_UNSPECIFIED;
}

void SetLimits(const LimitSettings& settings, v1::Cluster& out) {
  if (settings.warm_connections) out.set_warm_connections(*settings.warm_connections);
  const uint32_t connections = settings.max_connections.value_or(0);
  const uint32_t requests = settings.max_requests_per_endpoint.value_or(0);
  if (connections == 0 && requests == 0) return;  // nothing to wait for
  v1::UpstreamLimits& limits = *out.mutable_limits();
  limits.set_max_connections(connections);
  limits.set_max_requests_per_endpoint(requests);
  if (settings.max_pending) limits.set_max_pending_requests(*settings.max_pending);
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
  Fill(service_address, weaker.service_address);
  Fill(limits.max_connections, weaker.limits.max_connections);
  Fill(limits.max_pending, weaker.limits.max_pending);
  Fill(limits.max_requests_per_endpoint, weaker.limits.max_requests_per_endpoint);
  Fill(limits.warm_connections, weaker.limits.warm_connections);
  Fill(connections.http_1_0, weaker.connections.http_1_0);
  Fill(connections.idle, weaker.connections.idle);
  Fill(connections.requests, weaker.connections.requests);
  Fill(connections.idle_timeout, weaker.connections.idle_timeout);
}

void SetConnections(const ConnectionSettings& settings, v1::Cluster& out) {
  const bool http2 = out.protocol() == v1::Cluster::H2C || out.protocol() == v1::Cluster::H2;
  out.set_http_1_0(settings.http_1_0.value_or(false) && !http2);
  out.set_idle_connections(settings.idle.value_or(0));
  out.set_max_requests_per_connection(settings.requests.value_or(0));
  if (settings.idle_timeout) out.mutable_idle_timeout()->set_seconds(*settings.idle_timeout);
}

void SetUpstream(const UpstreamSettings& settings, v1::Cluster& out) {
  SetHealth(settings.health, out);
  SetLimits(settings.limits, out);
  SetConnections(settings.connections, out);
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
