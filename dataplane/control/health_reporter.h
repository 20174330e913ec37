#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "proto/headgate/v1/discovery.pb.h"

namespace headgate::control {

// Tells the controller what probes say: once at the beginning of each stream, then when something
// has changed, at most once a second. What changes meanwhile is one report; nothing queues.
//
// Thread: has one of its own, since both the state and the stream may make it wait. Calls: any, but
// Attach and Detach from one.
class HealthReporter {
 public:
  // The state of this moment.
  using Source = std::function<v1::HealthReport()>;
  // Sends on the stream; false when it is over. Called by the reporter's thread.
  using Send = std::function<bool(const v1::DataPlaneMessage&)>;

  // `clock` outlives this.
  HealthReporter(Source source, const Clock& clock);
  ~HealthReporter();
  HealthReporter(const HealthReporter&) = delete;
  HealthReporter& operator=(const HealthReporter&) = delete;

  // Something is another than before.
  void Changed();

  // A stream can be written to.
  void Attach(Send send);
  // It cannot any more. Waits for a Send under way, so the stream must be broken or be read at its
  // other end.
  void Detach();

 private:
  void Run();

  const Source source_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool due_ ABSL_GUARDED_BY(mutex_) = false;
  bool sending_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<Send> send_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace headgate::control
