#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "absl/functional/any_invocable.h"

namespace headgate::control {

// The thread that builds configurations and lets go of them. Network and disk happen elsewhere, so
// that a task posted here never waits for a peer.
class ControlThread {
 public:
  using Task = absl::AnyInvocable<void() &&>;

  ControlThread();
  // Runs what has been posted, then ends.
  ~ControlThread();
  ControlThread(const ControlThread&) = delete;
  ControlThread& operator=(const ControlThread&) = delete;

  // Any thread. Tasks run in the order posted.
  void Post(Task task);
  // Any thread but the control thread: posts the task and waits until it has run.
  void Run(Task task);

 private:
  void Loop();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> tasks_;  // guarded by mutex_
  bool stopping_ = false;   // guarded by mutex_
  std::thread thread_;      // last: starts when everything else is there
};

}  // namespace headgate::control
