#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace headgate::upstream {

// Keeps retries from multiplying an outage: over some ten seconds there may be a share of retries
// among the requests, or ten a second if that is more, so that a cluster with little traffic has
// its second chances too. One per cluster and worker.
class RetryBudget {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds kWindow{10};
  static constexpr uint32_t kLeast = 100;  // per window

  void OnRequest(TimePoint now) {
    Roll(now);
    ++requests_;
  }

  // Whether one more retry is within the budget, which it then uses.
  bool Take(uint32_t percent, TimePoint now) {
    Roll(now);
    if (retries_ >= std::max<uint64_t>(kLeast, uint64_t{requests_} * percent / 100)) return false;
    ++retries_;
    return true;
  }

 private:
  // Half of what was counted is kept, so that the edge of a window is no chance to do it all again.
  void Roll(TimePoint now) {
    if (now < end_) return;
    const bool just_over = now < end_ + kWindow;
    requests_ = just_over ? requests_ / 2 : 0;
    retries_ = just_over ? (retries_ + 1) / 2 : 0;
    end_ = now + kWindow;
  }

  uint32_t requests_ = 0;
  uint32_t retries_ = 0;
  TimePoint end_;
};

}  // namespace headgate::upstream
