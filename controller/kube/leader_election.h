// One of several controllers leads: it alone writes to the cluster.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "common/metrics.h"
#include "controller/kube/lease.h"

namespace headgate::kube {

struct LeaderElectionOptions {
  ObjectKey lease;
  // Who we are: unlike every other candidate, best the same after a restart.
  std::string identity;
  // How long others wait for a leader that says nothing more. Whole seconds.
  absl::Duration duration = absl::Seconds(15);
  uint64_t seed = 0;

  // In client-go's proportions. A leader that could not renew for so long stops to lead, well
  // before others may begin.
  absl::Duration renew_deadline() const { return duration * 2 / 3; }
  absl::Duration retry_period() const { return duration * 2 / 15; }
};

// The rules are those of client-go's leaderelection, so that both can share a Lease:
//
//   follow ── the Lease is free, or was not renewed for its duration ──▶ lead ── renewed every
//   retry_period ─┐
//     ▲                                                                  │
//     ▲────────────────────────────────┘ └── another holds it, or not renewed for renew_deadline
//     ◀──────────┘
//
// Times in the Lease are never compared with our clock: a follower measures how long it has seen no
// change.
//
// Thread: Start, Stop and the destructor one owner; leads any. Works on a thread of its own.
class LeaderElection {
 public:
  // Of one request; a transport must keep to it, so that a deadline is noticed in time.
  static absl::Duration RequestLimit(const LeaderElectionOptions& options) {
    return std::min(options.retry_period(), absl::Seconds(5));
  }

  // `on_change` is called on the thread when we begin or cease to lead. `clock` and `metrics`
  // outlive the object.
  LeaderElection(LeaderElectionOptions options, std::unique_ptr<Transport> transport,
                 const Clock& clock, MetricsRegistry& metrics, std::function<void()> on_change);
  ~LeaderElection();
  LeaderElection(const LeaderElection&) = delete;
  LeaderElection& operator=(const LeaderElection&) = delete;

  void Start();
  // Gives up the lead, if we have it, so that another need not wait. Blocks for as long as two
  // requests may take.
  void Stop();

  // Whether we lead at this moment. True of at most one candidate at any time, as long as clocks
  // run equally fast.
  bool leads() const {
    return absl::ToInt64Nanoseconds(clock_.MonotonicNow()) <
           leads_until_ns_.load(std::memory_order_acquire);
  }

 private:
  void Run();
  // One attempt to get or keep the lead.
  absl::Status Try();
  absl::Status Renew();
  absl::Status LookAndTake();
  void Release();
  // `asked`: when the request was sent that made us leader.
  void Lead(Lease lease, absl::Duration asked);
  void Follow(std::string_view why);
  void Observe(const LeaseRecord& record);
  absl::Duration NextTry();

  const LeaderElectionOptions options_;
  const Clock& clock_;
  const std::function<void()> on_change_;
  Gauge& leading_gauge_;
  Counter& failures_;

  // The thread's own.
  LeaseClient client_;
  std::mt19937_64 random_;
  std::optional<Lease> held_;  // as we wrote it last; nothing: we follow
  LeaseRecord observed_;
  absl::Duration observed_at_;  // when that was new to us

  std::atomic<int64_t> leads_until_ns_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace headgate::kube
