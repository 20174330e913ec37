// Where the threads of the sources leave their events for the thread that owns the state.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "controller/kube/event_sink.h"
#include "controller/state/cluster_state.h"

namespace headgate::state {

// Thread: the sink's methods any; the others the owner's. Outlives the sources.
class Inbox final : public kube::EventSink {
 public:
  // What the sink was told, in order.
  using Event = std::variant<kube::Replacement, std::vector<kube::Change>, kube::Kind>;

  explicit Inbox(const Clock& clock) : clock_(clock) {}

  void OnReplace(kube::Replacement replacement) override;
  void OnChanges(std::vector<kube::Change> changes) override;
  void OnSynced(kube::Kind kind) override;

  // Blocks until there is an event, Wake was called or the monotonic `deadline` passed (no
  // deadline: for as long as it takes), and returns all events that came, possibly none.
  std::vector<Event> Wait(std::optional<absl::Duration> deadline);
  // Makes the current or next Wait return. Any thread.
  void Wake();

 private:
  void Push(Event event);

  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Event> events_ ABSL_GUARDED_BY(mutex_);
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
};

// Feeds one event to the state.
void ApplyEvent(ClusterState& state, Inbox::Event event);

}  // namespace headgate::state
