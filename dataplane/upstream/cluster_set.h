#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "dataplane/balance/round_robin.h"
#include "dataplane/codec/options.h"
#include "dataplane/codec/worker_io.h"
#include "dataplane/config/compiled_config.h"
#include "dataplane/tls/client_context.h"
#include "dataplane/upstream/endpoint.h"

namespace headgate::upstream {

// One cluster as one worker sees it: its endpoints and whose turn it is. There may be one for every Service and worker, so
// its size counts: with one endpoint some 300 bytes, connections apart.
class Cluster {
 public:
  Cluster(ClusterSet& set, uint64_t seed) : set_(set), round_robin_(seed) {}
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  // Takes over a new list of endpoints. Those that stay keep their connections, unless they are spoken to in another
  // way now.
  void Update(std::shared_ptr<const config::CompiledCluster> compiled);

  std::string_view log_name() const { return compiled_->log_name; }
  const config::CompiledCluster& compiled() const { return *compiled_; }

  // Whose turn it is, preferring endpoints not in `tried`. Nullptr: the cluster has none. The pointer is valid until the
  // loop is entered again.
  Endpoint* Pick(std::span<const base::Address> tried);

  // Endpoints in the order of compiled().endpoints.
  std::span<const std::unique_ptr<Endpoint>> endpoints() const { return endpoints_; }

 private:
  ClusterSet& set_;
  std::shared_ptr<const config::CompiledCluster> compiled_;
  std::unique_ptr<tls::ClientContext> tls_;  // null: plain TCP
  absl::InlinedVector<std::unique_ptr<Endpoint>, 2> endpoints_;
  balance::RoundRobin round_robin_;
};

// Every cluster of one worker, by slot, and the connections to all their endpoints. What is in here survives changes of
// configuration. One per worker, used on its thread.
class ClusterSet final : private net::TimerHandler {
 public:
  // `io` outlives this. `seed` differs between workers.
  ClusterSet(codec::WorkerIo& io, uint64_t seed);
  ~ClusterSet();

  // From the settings; may change at any time.
  void Configure(const config::CompiledSettings& settings);
  // Part of a commit. Slots that are not named stay as they are.
  void Apply(std::span<const config::ClusterUpdate> updates, config::ClusterSlot slot_count);

  // Nullptr when the cluster does not exist. Valid until the next Apply.
  Cluster* Find(config::ClusterSlot slot);

  // Closes every idle connection.
  void CloseIdle();

  size_t idle_connections() const { return idle_; }

  // For endpoints.
  codec::WorkerIo& io() { return io_; }
  const codec::ClientOptions& client_options() const { return options_; }
  tls::IoScratch& tls_scratch();
  void OnIdleCount(Endpoint& endpoint, int change);
  // Keeps an endpoint that left its cluster until its last connection has closed.
  void Adopt(std::unique_ptr<Endpoint> endpoint);
  void OnEndpointLeft(Endpoint& endpoint);

 private:
  // The worker's part is made when the first request needs it: of thousands of clusters few are in use at a time.
  struct Slot {
    std::shared_ptr<const config::CompiledCluster> compiled;
    std::unique_ptr<Cluster> cluster;
  };

  void OnTimer(net::Timer& timer) override;
  void Sweep();

  codec::WorkerIo& io_;
  const uint64_t seed_;
  codec::ClientOptions options_;
  net::milliseconds idle_timeout_{60'000};
  size_t max_idle_ = 320;
  size_t idle_ = 0;

  std::unique_ptr<tls::IoScratch> tls_scratch_;  // made for the first cluster that needs it
  std::vector<Slot> slots_;
  absl::flat_hash_map<Endpoint*, std::unique_ptr<Endpoint>> leaving_;
  base::IntrusiveList<Endpoint> with_idle_;
  net::Timer sweep_timer_;
  net::MemberTask<ClusterSet, &ClusterSet::Sweep> sweep_soon_{*this};
};

}  // namespace headgate::upstream
