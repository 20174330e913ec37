#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "dataplane/base/arena.h"
#include "dataplane/codec/worker_io.h"
#include "dataplane/config/compiled_config.h"
#include "dataplane/health/group.h"
#include "dataplane/net/event_loop.h"
#include "dataplane/observe/counters.h"
#include "dataplane/tls/io_scratch.h"

namespace headgate::health {

// What the probes of one upstream say, for people and metrics.
struct UpstreamStatus {
  struct Endpoint {
    base::Address address;
    std::string_view detail;  // of its last probe; static text
  };
  std::string source;
  std::string_view check;  // "http", "tcp", "grpc"
  size_t endpoints = 0;
  std::vector<Endpoint> unhealthy;  // sorted by address
};

// Probes the endpoints of every cluster that asks for it, on a thread of its own with one event
// loop, and tells the verdicts. Clusters of the same group share their probes
// (config::UpstreamHealth), so that the number of routes to a Service does not matter, and a change
// of routes disturbs no probe.
//
// Thread: constructed, started, stopped and destroyed by the owner; the rest any.
class Checker final : private GroupOwner {
 public:
  // Told of verdicts that are others than before, and of those that hold for a new cluster. On the
  // health thread; must not block.
  using Sink = std::function<void(std::vector<config::HealthVerdict>)>;

  explicit Checker(Sink sink);
  ~Checker();
  Checker(const Checker&) = delete;
  Checker& operator=(const Checker&) = delete;

  void Start();
  // Gives up what is under way and returns when the thread has ended; nothing is told afterwards.
  void Stop();

  // What changes for the clusters. Updates must come in order, each after it was given to the
  // workers.
  void Apply(const config::ConfigUpdate& update);

  // Sorted by source. Waits for a turn of the loop; empty after Stop. REQUIRES: started.
  std::vector<UpstreamStatus> Status();
  uint64_t probes() const { return probes_.value(); }
  uint64_t failed_probes() const { return failed_probes_.value(); }

 private:
  // GroupOwner
  void OnProbed(bool success) override;
  void OnVerdictChanged(Group& group) override;

  void ApplyNow(const std::vector<config::ClusterUpdate>& clusters);
  void SetCluster(config::ClusterSlot slot,
                  const std::shared_ptr<const config::CompiledCluster>& cluster);
  void LeaveGroup(config::ClusterSlot slot);
  void Tell();
  std::vector<UpstreamStatus> StatusNow() const;

  const Sink sink_;
  const uint64_t seed_;
  observe::ShardCounter probes_;
  observe::ShardCounter failed_probes_;

  // The health thread's.
  observe::CounterShard counters_;  // of the codecs; nobody reads them
  base::BlockPool blocks_;          // outlives the loop, which frees what is retired
  net::EventLoop loop_;
  codec::WorkerIo io_{loop_, blocks_, counters_};
  const codec::ClientOptions options_{.limits = {}, .max_requests = 1};
  tls::IoScratch tls_scratch_;
  absl::flat_hash_map<std::string, std::unique_ptr<Group>> groups_;
  absl::flat_hash_map<config::ClusterSlot, Group*> by_slot_;
  absl::btree_set<config::ClusterSlot> to_tell_;
  net::MemberTask<Checker, &Checker::Tell> tell_{*this};

  std::thread thread_;
};

}  // namespace headgate::health
