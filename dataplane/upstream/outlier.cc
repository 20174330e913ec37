#include "dataplane/upstream/outlier.h"

#include <algorithm>
#include <utility>

namespace headgate::upstream {

Outlier::Verdict Outlier::OnAttempt(const config::OutlierPolicy& policy, bool failed,
                                    uint16_t status, TimePoint now) {
  const bool bad = failed || status >= 500;
  if (!bad) {
    in_a_row_ = 0;
    ejections_ = 0;
  } else {
    ++in_a_row_;
  }
  if (!failed) {
    if (std::exchange(on_trial_, false)) fails_ = 0;
  } else if (policy.max_fails > 0) {
    if (now - window_start_ > policy.fail_timeout) {
      window_start_ = now;
      fails_ = 0;
    }
    ++fails_;
  }
  if (ejected()) return Verdict::kNone;  // of requests that were under way
  if (failed && policy.max_fails > 0 && (on_trial_ || fails_ >= policy.max_fails)) {
    return Verdict::kTooManyFails;
  }
  if (bad && policy.consecutive_5xx > 0 && in_a_row_ >= policy.consecutive_5xx) {
    return Verdict::kTooManyInARow;
  }
  return Verdict::kNone;
}

Outlier::Duration Outlier::Eject(const config::OutlierPolicy& policy, Verdict why, TimePoint now) {
  Duration time = policy.fail_timeout;
  if (why == Verdict::kTooManyInARow) {
    ++ejections_;
    time = std::max(policy.ejection_time, std::min(policy.ejection_time * ejections_, kLongest));
    in_a_row_ = 0;
  }
  ejected_ = why;
  until_ = now + time;
  return time;
}

void Outlier::Return() {
  on_trial_ = ejected_ == Verdict::kTooManyFails;
  ejected_ = Verdict::kNone;
  fails_ = 0;
}

}  // namespace headgate::upstream
