#include "controller/state/inbox.h"

#include <utility>

namespace headgate::state {

void Inbox::OnReplace(kube::Replacement replacement) { Push(std::move(replacement)); }
void Inbox::OnChanges(std::vector<kube::Change> changes) { Push(std::move(changes)); }
void Inbox::OnSynced(kube::Kind kind) { Push(kind); }

std::vector<Inbox::Event> Inbox::Wait(std::optional<absl::Duration> deadline) {
  std::unique_lock<std::mutex> lock(mutex_);
  clock_.WaitUntil(lock, changed_, deadline.value_or(absl::InfiniteDuration()),
                   [this] { return !events_.empty() || woken_; });
  woken_ = false;
  return std::exchange(events_, {});
}

void Inbox::Wake() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    woken_ = true;
  }
  changed_.notify_one();
}

void Inbox::Push(Event event) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    events_.push_back(std::move(event));
  }
  changed_.notify_one();
}

void ApplyEvent(ClusterState& state, Inbox::Event event) {
  if (auto* replacement = std::get_if<kube::Replacement>(&event)) {
    state.Apply(std::move(*replacement));
  } else if (auto* changes = std::get_if<std::vector<kube::Change>>(&event)) {
    for (kube::Change& change : *changes) state.Apply(std::move(change));
  } else {
    state.MarkSynced(std::get<kube::Kind>(event));
  }
}

}  // namespace headgate::state
