#pragma once

#include <chrono>
#include <cstdint>

#include "dataplane/config/upstream_health.h"

namespace headgate::upstream {

// What requests have shown of one endpoint, and whether it is to be left alone for that. No clock
// of its own. Times in a row, be they failures or ejections, are times without a success in
// between.
class Outlier {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::milliseconds;

  enum class Verdict : uint8_t {
    kNone,
    kTooManyFails,   // max_fails
    kTooManyInARow,  // consecutive_5xx
  };

  // `failed`: no usable response. `status`: of the response, 0 if there was none. The verdict asks
  // for an ejection, which happens when Eject is called.
  Verdict OnAttempt(const config::OutlierPolicy& policy, bool failed, uint16_t status,
                    TimePoint now);

  // Leaves it alone from now on; for how long.
  Duration Eject(const config::OutlierPolicy& policy, Verdict why, TimePoint now);

  // Not left alone any more. After max_fails it is on trial: one failure more takes it out again.
  void Return();

  bool ejected() const { return ejected_ != Verdict::kNone; }
  // Out for consecutive_5xx, which max_ejected_percent limits.
  bool ejected_in_a_row() const { return ejected_ == Verdict::kTooManyInARow; }
  // REQUIRES: ejected().
  TimePoint until() const { return until_; }

 private:
  static constexpr Duration kLongest{300'000};

  uint32_t fails_ = 0;  // within the window
  TimePoint window_start_{};
  bool on_trial_ = false;
  uint32_t in_a_row_ = 0;
  uint32_t ejections_ = 0;  // in a row, for consecutive_5xx
  Verdict ejected_ = Verdict::kNone;
  TimePoint until_{};
};

}  // namespace headgate::upstream
