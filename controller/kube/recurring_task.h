// Work that comes back: for what a controller looks after in the cluster.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "common/clock.h"

namespace headgate::kube {

// Takes turns on a thread of its own, with rests between them that each turn chooses.
//
// Thread: Start and Stop one owner; Wake any.
class RecurringTask {
 public:
  // One turn; gives the time to rest. Called without a lock.
  using Turn = std::function<absl::Duration()>;

  // `clock` outlives the object, and so does what `turn` refers to until it was stopped.
  RecurringTask(const Clock& clock, Turn turn) : turn_(std::move(turn)), clock_(clock) {}
  ~RecurringTask() { Stop(); }
  RecurringTask(const RecurringTask&) = delete;
  RecurringTask& operator=(const RecurringTask&) = delete;

  // The first turn comes at once. Once in a lifetime.
  void Start();
  // Returns when the turn under way, if any, has ended; there will be no other. `cancel` lets it
  // end soon. False: nothing was running, and `cancel` was not called.
  bool Stop(const std::function<void()>& cancel = nullptr);
  // Something is different from what it was: no rest before the next turn.
  void Wake();

 private:
  void Run();

  const Turn turn_;
  const Clock& clock_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;
};

}  // namespace headgate::kube
