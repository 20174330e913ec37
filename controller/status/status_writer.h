// Keeps status.loadBalancer of our Ingresses in step with where clients reach Headgate.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/backoff.h"
#include "common/clock.h"
#include "common/metrics.h"
#include "controller/kube/objects.h"
#include "controller/kube/recurring_task.h"
#include "controller/status/published_addresses.h"
#include "controller/status/status_client.h"

namespace headgate::status {

struct StatusWriterOptions {
  // Ingresses whose status is not as it should be are come back to this often.
  absl::Duration interval = absl::Minutes(1);
  // Writes a second in the long run, and at once.
  int rate = 20;
  int burst = 50;
  // The pause after a write that failed, which grows up to the interval.
  absl::Duration retry = absl::Seconds(1);
  // All the time that the clearing of Ingresses may take.
  absl::Duration clear_limit = absl::Seconds(20);
};

// An Ingress is written when its status differs and it is new to us, the addresses are others, or
// we begin to lead; and else with the next interval. So a program that writes the same field is
// contradicted once in an interval, and not in a race. A write that failed is tried again soon:
// most often the connection had died, which only its use shows.
//
// Thread: Start, Stop and the destructor one owner; the rest any, and none blocks. Writes on a
// thread of its own.
class StatusWriter {
 public:
  // `leads`: whether this controller is the one to write; asked before each write, on the thread.
  // `clock` and `metrics` outlive the object.
  StatusWriter(const StatusWriterOptions& options, std::unique_ptr<kube::Transport> transport,
               std::function<bool()> leads, const Clock& clock, MetricsRegistry& metrics);
  ~StatusWriter();
  StatusWriter(const StatusWriter&) = delete;
  StatusWriter& operator=(const StatusWriter&) = delete;

  void Start();
  // Writes no more. `clear`: takes the addresses from the Ingresses first, if we lead, within the
  // limit.
  void Stop(bool clear);

  // What every status is to say. Nothing: it is not known, and what is written stays.
  void SetAddresses(std::optional<AddressList> addresses);
  // An Ingress that is ours, as it is now; null: it is gone, or not ours any more, and is left
  // alone from now on.
  void Observe(const kube::ObjectKey& key, std::shared_ptr<const kube::Ingress> ingress);
  // We may lead by now.
  void LeadChanged();

 private:
  using IngressPtr = std::shared_ptr<const kube::Ingress>;

  // Writes what may be written now; gives the time until there may be more.
  absl::Duration TakeTurn();
  // Everything that differs is to be written.
  void MarkAll() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool Differs(const kube::Ingress& ingress) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool MayWrite() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return addresses_ && !due_.empty();
  }
  // Releases the lock meanwhile.
  void WriteOne(std::unique_lock<std::mutex>& lock);
  // When the thread has ended.
  void Clear();
  // The form that it has then. NOT_FOUND: it is gone, or another. Other errors have been counted.
  absl::StatusOr<IngressPtr> Write(const kube::Ingress& ingress, const AddressList& addresses);

  const StatusWriterOptions options_;
  const std::function<bool()> leads_;
  const Clock& clock_;
  Counter& written_;
  Counter& failed_;
  StatusClient client_;  // the thread's own

  std::mutex mutex_;
  std::optional<AddressList> addresses_ ABSL_GUARDED_BY(mutex_);
  // All that `addresses_` was, up to a limit: who has them has them from a controller of ours.
  std::deque<AddressList> published_ ABSL_GUARDED_BY(mutex_);
  std::map<kube::ObjectKey, IngressPtr> ingresses_ ABSL_GUARDED_BY(mutex_);
  std::set<kube::ObjectKey> due_ ABSL_GUARDED_BY(mutex_);
  bool lead_changed_ ABSL_GUARDED_BY(mutex_) = false;

  // The thread's own.
  absl::Duration next_round_;
  absl::Duration rested_at_;  // of the rate limit: when all of the burst could be used again
  Backoff backoff_;
  absl::Duration pause_until_;  // after a failure

  kube::RecurringTask task_;
};

}  // namespace headgate::status
