#pragma once

#include <memory>
#include <span>

#include "absl/container/flat_hash_map.h"
#include "dataplane/codec/worker_io.h"
#include "dataplane/config/compiled_config.h"
#include "dataplane/net/event_loop.h"
#include "dataplane/upstream/endpoint.h"
#include "dataplane/upstream/outlier.h"

namespace headgate::upstream {

class Cluster;

// What one worker knows of the health of a cluster's endpoints: the verdicts of the probes, and
// what its own requests have met. Says which are available, and which start slowly. Only for
// clusters that ask for any of it.
//
// Owned by its cluster, on the worker's thread.
class ClusterHealth final : private net::TimerHandler {
 public:
  // `cluster` and `io` outlive it.
  ClusterHealth(Cluster& cluster, codec::WorkerIo& io);
  ~ClusterHealth();
  ClusterHealth(const ClusterHealth&) = delete;
  ClusterHealth& operator=(const ClusterHealth&) = delete;

  // The cluster has new endpoints or settings. What is known of those that stay is kept; those that
  // are new among others start slowly.
  void OnUpdate();
  // What probes say now; null: nothing.
  void SetUnhealthy(const config::UnhealthyEndpoints* unhealthy);
  void OnAttemptEnd(Endpoint& endpoint, const AttemptOutcome& outcome);

 private:
  static constexpr int kSlowStartSteps = 20;
  static constexpr float kLeastShare = 0.1F;

  struct State {
    bool unhealthy = false;  // as probes say
    Outlier outlier;
    // When its slow start began; the beginning of time: it has had it, or has none.
    net::TimePoint started{};
  };

  void OnTimer(net::Timer& timer) override;
  void SetProbed(Endpoint& endpoint, State& state, bool unhealthy);
  void Eject(Endpoint& endpoint, State& state, Outlier::Verdict why);
  void Return(Endpoint& endpoint, State& state);
  void UpdateAvailable(Endpoint& endpoint, State& state);
  void StartSlowly(Endpoint& endpoint, State& state);
  void UpdateShare(Endpoint& endpoint, State& state);
  // Whether one more may be ejected for consecutive_5xx.
  bool MayEject() const;
  void ArmTimer();
  const config::UpstreamHealth& policy() const;

  Cluster& cluster_;
  codec::WorkerIo& io_;
  absl::flat_hash_map<Endpoint*, State> states_;
  net::Timer timer_;  // for the next step of a slow start, or return of an endpoint
};

}  // namespace headgate::upstream
