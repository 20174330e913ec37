#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "common/clock.h"
#include "common/metrics.h"
#include "controller/kube/event_writer.h"
#include "controller/kube/transport.h"
#include "controller/publish/health_news.h"

namespace headgate::app {

// Tells in Events on Services what the probes of data planes find (publish/health_news.h), on a
// thread of its own. Each of several controllers tells of the data planes that are connected to it;
// the same finding is the same Event (kube/event_writer.h). What cannot be written is counted and
// dropped: metrics say the same.
//
// Thread: Start, Stop and the destructor one owner; Changed any.
class HealthEvents {
 public:
  // What the data planes connected now have reported. Called on the thread.
  using Reports = std::function<std::vector<publish::SubscriberStatus>()>;

  // Does nothing before Start. `clock` and `metrics` outlive it.
  HealthEvents(const Clock& clock, MetricsRegistry& metrics);
  ~HealthEvents();
  HealthEvents(const HealthEvents&) = delete;
  HealthEvents& operator=(const HealthEvents&) = delete;

  void Start(std::unique_ptr<kube::Transport> transport, Reports reports);
  // Nothing is asked of `reports` and written afterwards.
  void Stop();
  // Some report may be another now. Does not block.
  void Changed();

 private:
  void Run();
  void Write(const publish::HealthNews& news);

  const Clock& clock_;
  Counter& written_;
  Counter& failed_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool changed_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  // The thread's own.
  std::unique_ptr<kube::EventWriter> writer_;
  Reports reports_;
  publish::HealthDigest digest_;

  std::thread thread_;
};

}  // namespace headgate::app
