#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "dataplane/balance/balancer.h"
#include "dataplane/config/compiled_config.h"
#include "dataplane/tls/client_context.h"
#include "dataplane/upstream/cluster_health.h"
#include "dataplane/upstream/endpoint.h"
#include "dataplane/upstream/retry_budget.h"
#include "dataplane/upstream/wait_queue.h"

namespace headgate::upstream {

// One cluster as one worker sees it: its endpoints and whose turn it is. There may be one for every
// Service and worker, so its size counts: with one endpoint some 380 bytes, connections apart.
class Cluster {
 public:
  // `set` outlives this. `seed` differs between workers and clusters.
  Cluster(ClusterSet& set, uint64_t seed) : set_(set), balancer_(seed) {}
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  // Takes over a new list of endpoints. Those that stay keep their connections, unless they are
  // spoken to in another way now.
  void Update(std::shared_ptr<const config::CompiledCluster> compiled);

  std::string_view log_name() const { return compiled_->log_name; }
  const config::CompiledCluster& compiled() const { return *compiled_; }

  // Whose turn it is, preferring endpoints that have not been tried. Nullptr: the cluster has none.
  // The pointer is valid until the loop is entered again, and during an attempt that it has opened.
  Endpoint* Pick(const balance::PickContext& context) {
    if (stale_) ResetBalancer();
    return static_cast<Endpoint*>(balancer_.Pick(context));
  }

  // The endpoint that the key of a session names (config::SessionKeys). Nullptr: it is not there,
  // or not available while others are.
  Endpoint* FindBySessionKey(std::string_view key) const;
  // The other way round; empty for a backup. REQUIRES: compiled().session_keys, with endpoints.
  std::string_view SessionKeyOf(const Endpoint& endpoint) const;

  // Limits; what follows is for clusters that have some.
  bool limited() const { return waiting_ != nullptr; }
  const config::ClusterLimits& limits() const { return *compiled_->limits; }
  bool anybody_waits() const { return !waiting_->empty(); }
  // Takes room for one attempt at `picked`, or if that is full at another of its kind that has not
  // been tried, the one with the least requests under way; Endpoint::Open must follow at once.
  // Nullptr: there is no room now.
  Endpoint* Take(Endpoint& picked, std::span<const balance::PeerId> tried, bool fresh,
                 bool with_preamble);
  // Until room may be there. False, and counted: too many wait already.
  [[nodiscard]] bool Wait(WaitingRequest& request);
  // A request was turned away.
  void CountRejected() { limits().usage->rejected.fetch_add(1); }

  RetryBudget& retry_budget() { return retry_budget_; }
  // Attempts under way at all endpoints. Endpoints report changes.
  uint32_t active_total() const { return active_total_; }
  void AddActive(uint32_t count) { active_total_ += count; }
  void SubtractActive(uint32_t count) { active_total_ -= count; }

  // Endpoints in the order of compiled().endpoints.
  std::span<const std::unique_ptr<Endpoint>> endpoints() const { return endpoints_; }

  // Whether the endpoint may be picked while another is available. Takes effect with the next pick,
  // which then costs time in proportion to the number of endpoints.
  void SetAvailable(Endpoint& endpoint, bool available);
  // Which part of its weight the endpoint gets, above 0 and at most 1. As above.
  void SetShare(Endpoint& endpoint, float share);

  // What probes say now; null: nothing.
  void SetUnhealthy(const config::UnhealthyEndpoints* unhealthy) {
    if (health_ != nullptr) health_->SetUnhealthy(unhealthy);
  }

  // Makes connections ahead of requests, where that is wanted: at most so many for each endpoint.
  void Warm(size_t most);

  // The worker's settings are others than before.
  void UpdateConnectionRules();

  // From an endpoint of this cluster.
  void OnAttemptEnd(Endpoint& endpoint, const AttemptOutcome& outcome);

 private:
  void ResetBalancer();
  void UpdateLimits();
  void UpdateHealth();

  ClusterSet& set_;
  std::shared_ptr<const config::CompiledCluster> compiled_;
  std::unique_ptr<tls::ClientContext> tls_;  // null: plain TCP
  absl::InlinedVector<std::unique_ptr<Endpoint>, 2> endpoints_;
  balance::Balancer balancer_;
  RetryBudget retry_budget_;
  uint32_t active_total_ = 0;
  bool stale_ = true;                      // the balancer has not seen what endpoints are like now
  std::unique_ptr<ClusterHealth> health_;  // null: every endpoint is available
  std::unique_ptr<WaitQueue> waiting_;     // null: there are no limits
};

}  // namespace headgate::upstream
