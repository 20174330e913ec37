#include "dataplane/http2/abuse_guard.h"

#include <algorithm>
#include <chrono>

namespace headgate::http2 {

AbuseGuard::AbuseGuard(net::TimePoint now) : refilled_(now) {
  for (size_t i = 0; i < kAbuses; ++i) left_[i] = kAllowances[i].burst;
}

void AbuseGuard::Refill(net::TimePoint now) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - refilled_).count();
  if (seconds <= 0) return;
  refilled_ += std::chrono::seconds(seconds);
  for (size_t i = 0; i < kAbuses; ++i) {
    const uint64_t more = static_cast<uint64_t>(seconds) * kAllowances[i].per_second;
    left_[i] = static_cast<uint16_t>(
        std::max<uint64_t>(left_[i], std::min<uint64_t>(left_[i] + more, kAllowances[i].burst)));
  }
}

bool AbuseGuard::Count(Abuse abuse, net::TimePoint now) {
  Refill(now);
  uint16_t& left = left_[static_cast<size_t>(abuse)];
  if (left == 0) return false;
  --left;
  return left != 0;
}

void AbuseGuard::CreditWindowUpdates() {
  constexpr uint16_t kMost = 60'000;
  uint16_t& left = left_[static_cast<size_t>(Abuse::kWindowUpdates)];
  if (left < kMost) left = static_cast<uint16_t>(left + 2);
}

}  // namespace headgate::http2
