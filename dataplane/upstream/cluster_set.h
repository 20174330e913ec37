#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "dataplane/codec/options.h"
#include "dataplane/codec/worker_io.h"
#include "dataplane/config/compiled_config.h"
#include "dataplane/upstream/cluster.h"
#include "dataplane/upstream/endpoint.h"
#include "dataplane/upstream/wait_queue.h"

namespace headgate::upstream {

// Every cluster of one worker, by slot, and the connections to all their endpoints. What is in here
// survives changes of configuration. One per worker, used on its thread.
class ClusterSet final : private net::TimerHandler {
 public:
  // `io` outlives this. `seed` differs between workers.
  ClusterSet(codec::WorkerIo& io, uint64_t seed);
  ~ClusterSet();

  // From the settings; may change at any time.
  void Configure(const config::CompiledSettings& settings);
  // Part of a commit. Slots that are not named stay as they are.
  void Apply(std::span<const config::ClusterUpdate> updates, config::ClusterSlot slot_count);

  // What probes say of some clusters.
  void ApplyHealth(std::span<const config::HealthVerdict> verdicts);

  // Nullptr when the cluster does not exist. Valid until the next Apply.
  Cluster* Find(config::ClusterSlot slot);

  // Closes every idle connection, and makes none ahead of requests any more: the worker drains.
  void CloseIdle();

  size_t idle_connections() const { return idle_; }

  // Some cluster wants to be told who the client is, and where it had connected to.
  bool tells_clients() const { return telling_ > 0; }

  // For endpoints.
  codec::WorkerIo& io() { return io_; }
  // `single_use`: of connections that serve one attempt.
  const codec::ClientOptions& client_options(bool single_use) const {
    return single_use ? single_use_options_ : options_;
  }
  // For connections that no request waits for.
  net::milliseconds connect_timeout() const { return connect_timeout_; }
  bool HasRoomForIdle() const { return idle_ < max_idle_; }
  tls::IoScratch& tls_scratch();
  balance::PeerId NextPeerId() { return next_peer_id_++; }
  void OnIdleCount(Endpoint& endpoint, int change);
  // Keeps an endpoint that left its cluster until its last connection has closed.
  void Adopt(std::unique_ptr<Endpoint> endpoint);
  void OnEndpointLeft(Endpoint& endpoint);
  // From a queue that ends: the request is tried soon.
  void TryWithoutQueue(WaitingRequest& request);

 private:
  // The worker's part is made when the first request needs it: of thousands of clusters few are in
  // use at a time.
  struct Slot {
    std::shared_ptr<const config::CompiledCluster> compiled;
    std::unique_ptr<Cluster> cluster;
  };

  // What probes say of the slot's cluster, or null. Forgets what they said of another tenant.
  const config::UnhealthyEndpoints* UnhealthyOf(config::ClusterSlot slot);
  void OnTimer(net::Timer& timer) override;
  void Sweep();
  void TryThoseWithoutQueue();
  void UpdateWarm(config::ClusterSlot slot);

  codec::WorkerIo& io_;
  const uint64_t seed_;
  codec::ClientOptions options_;
  codec::ClientOptions single_use_options_;
  net::milliseconds idle_timeout_{60'000};
  net::milliseconds connect_timeout_{5'000};
  size_t max_idle_ = 320;
  size_t idle_ = 0;
  bool closed_ = false;  // CloseIdle was called
  size_t telling_ = 0;   // clusters with a PROXY protocol
  balance::PeerId next_peer_id_ = 1;

  std::unique_ptr<tls::IoScratch> tls_scratch_;  // made for the first cluster that needs it
  std::vector<Slot> slots_;
  // Of the few that have any.
  absl::flat_hash_map<config::ClusterSlot, std::shared_ptr<const config::UnhealthyEndpoints>>
      unhealthy_;
  absl::flat_hash_set<config::ClusterSlot> warm_;  // that want connections ahead of requests
  absl::flat_hash_map<Endpoint*, std::unique_ptr<Endpoint>> leaving_;
  base::IntrusiveList<Endpoint> with_idle_;
  net::Timer sweep_timer_;
  net::MemberTask<ClusterSet, &ClusterSet::Sweep> sweep_soon_{*this};
  base::IntrusiveList<WaitingRequest> without_queue_;
  net::MemberTask<ClusterSet, &ClusterSet::TryThoseWithoutQueue> try_soon_{*this};
};

}  // namespace headgate::upstream
