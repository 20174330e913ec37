// Keeps a sink in step with one resource of an API server: list, then watch, for ever.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/backoff.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/metrics.h"
#include "controller/kube/event_sink.h"
#include "controller/kube/resource_type.h"
#include "controller/kube/transport.h"
#include "controller/kube/watch_decoder.h"

namespace headgate::kube {

struct ReflectorOptions {
  const ResourceType* type = nullptr;
  // Empty: all namespaces.
  std::string ns;
  // The one object of `ns` to keep in step with; empty: all.
  std::string name;
  // Objects a page of a list.
  int page_size = 500;
  // A watch is asked to end after a time between this and twice this, so that watches spread over
  // API servers.
  absl::Duration watch_duration = absl::Minutes(5);
  // Without a byte for so long the connection counts as dead. An API server sends a bookmark every
  // minute.
  absl::Duration list_idle_limit = absl::Seconds(30);
  absl::Duration watch_idle_limit = absl::Seconds(100);
  // Short enough at the end that changes made while the server was away arrive within seconds of
  // its return.
  BackoffOptions backoff = {.initial = absl::Milliseconds(100), .max = absl::Seconds(3)};
  // A list older than what was delivered already (a restored etcd, or a server that lags behind) is
  // refused this many times in a row before it is believed.
  int max_stale_lists = 5;
  // A page of a list that fails is asked for again, this many times in a row, before the list is
  // begun anew.
  int max_page_retries = 20;
  uint64_t seed = 0;
};

// What one reflector does, in straight code on one thread:
//
//   list in pages ─▶ OnReplace ─▶ watch from the list's version ─▶ OnChanges ...
//        ▲                             │ ended: watch again from the last version seen
//        ├────── 410 Gone ─────────────┤ (at once, unless it is all that the server says)
//        └ a page after the first that   │
//          fails is asked for again      │
//                                      └ failed: pause with back-off, watch again from the last
//                                      version seen
//
// Versions never go back: events at or below the last version are dropped.
class Reflector {
 public:
  // All collaborators must outlive the reflector. `on_synced` is called once, after the first
  // OnReplace.
  Reflector(const ReflectorOptions& options, Transport& transport, EventSink& sink,
            const Clock& clock, MetricsRegistry& metrics, std::function<void()> on_synced);
  Reflector(const Reflector&) = delete;
  Reflector& operator=(const Reflector&) = delete;

  // Returns after Stop.
  void Run();
  // Thread: any. Cancels the transport.
  void Stop();

 private:
  enum class WatchEnd { kEnded, kExpired, kFailed };

  // What list and watch are limited to; empty: nothing.
  std::string FieldSelector() const;
  absl::Status List();
  // One whole list; gives its version. `paged` false: all in one answer.
  absl::StatusOr<std::string> ListAll(bool paged, Replacement* out);
  // One page of it, from `continue_token` (empty: the first), added to `out` if it is complete.
  // Gives the list's version and the next page's token, empty at the end.
  struct Page {
    std::string resource_version;
    std::string continue_token;
  };
  absl::StatusOr<Page> ListPage(bool paged, std::string_view continue_token, Replacement* out);
  WatchEnd Watch();
  // Sorts the events of one read into changes and state of the watch. False: the watch is over.
  bool TakeEvents(std::vector<WatchEvent> events);
  bool Advance(const std::string& resource_version);
  absl::Status CheckResult(const absl::StatusOr<HttpResult>& result);
  void ReportFailure(std::string_view doing, const absl::Status& status);
  void Pause();
  bool stopped() const;

  const ReflectorOptions options_;
  const ResourceType& type_;
  Transport& transport_;
  EventSink& sink_;
  const Clock& clock_;
  const std::function<void()> on_synced_;
  Counter& lists_;
  Counter& watches_;
  Counter& failures_;
  Counter& events_;
  Counter& malformed_;

  // The last version seen; empty: list first.
  std::string resource_version_;
  std::string delivered_version_;  // as before, but survives a 410
  bool synced_ = false;
  bool failing_ = false;
  int stale_lists_ = 0;
  int expired_in_a_row_ = 0;  // watches that gave nothing but a 410
  bool watch_progress_ = false;
  bool watch_expired_ = false;
  absl::Status watch_status_;
  absl::Duration retry_after_;
  Backoff backoff_;
  std::mt19937_64 random_;
  LogThrottle failure_log_{60'000'000'000};

  mutable std::mutex mutex_;
  std::condition_variable stop_requested_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace headgate::kube
