#include "dataplane/config/upstream_limits.h"

#include <algorithm>

namespace headgate::config {

void ClusterUsage::BeginWaiting(Waiting& waiting) {
  const std::lock_guard<std::mutex> lock(mutex_);
  waiting_.push_back(&waiting);
  waiting_count_.store(waiting_.size());
}

void ClusterUsage::EndWaiting(Waiting& waiting) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto at = std::find(waiting_.begin(), waiting_.end(), &waiting);
  if (at != waiting_.end()) waiting_.erase(at);
  waiting_count_.store(waiting_.size());
}

void ClusterUsage::TellOfRoom() {
  if (waiting_count_.load() == 0) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (waiting_.empty()) return;
  waiting_[++turn_ % waiting_.size()]->OnRoom();
}

bool ClusterLimits::open() const {
  if (usage->pending.value() < limits.max_pending) return false;
  if (limits.max_connections != 0 && usage->connections.value() >= limits.max_connections)
    return true;
  const uint32_t most = limits.max_requests_per_endpoint;
  return most != 0 && !requests.empty() &&
         std::all_of(requests.begin(), requests.end(),
                     [&](const auto& count) { return count->value() >= most; });
}

}  // namespace headgate::config
