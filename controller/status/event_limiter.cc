#include "controller/status/event_limiter.h"

#include <algorithm>

namespace headgate::status {

bool EventLimiter::Admit(const kube::ObjectKey& object, absl::Duration now) {
  if (rested_at_.size() >= kMaxKnown && !rested_at_.contains(object)) {
    absl::erase_if(rested_at_, [now](const auto& entry) { return entry.second <= now; });
    if (rested_at_.size() >= kMaxKnown) rested_at_.clear();
  }
  absl::Duration& rested = rested_at_[object];
  const absl::Duration next = std::max(rested, now) + kRefill;
  if (next - now > kRefill * kBurst) return false;
  rested = next;
  return true;
}

}  // namespace headgate::status
