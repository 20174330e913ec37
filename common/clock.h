// Time as a collaborator, so that tests can move it.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>

#include "absl/time/time.h"

namespace headgate {

// Thread: any.
class Clock {
 public:
  virtual ~Clock() = default;

  // Wall time, for display and certificates. May jump.
  virtual absl::Time WallNow() const = 0;
  // Time since an arbitrary start; never goes back. For every interval and deadline.
  virtual absl::Duration MonotonicNow() const = 0;
  // Waits on `changed` until `done()` holds (checked with the lock held) or the monotonic
  // `deadline` passed; returns the last done(). REQUIRES: `lock` is held; it is held again on
  // return.
  virtual bool WaitUntil(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
                         absl::Duration deadline, const std::function<bool()>& done) const = 0;
};

// The clock of the machine. One for the whole process is enough; it has no state.
class SystemClock final : public Clock {
 public:
  absl::Time WallNow() const override;
  absl::Duration MonotonicNow() const override;
  bool WaitUntil(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
                 absl::Duration deadline, const std::function<bool()>& done) const override;
};

// A clock that stands still until a test moves it.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(absl::Time wall = absl::FromUnixSeconds(1'700'000'000)) : wall_(wall) {}

  absl::Time WallNow() const override;
  absl::Duration MonotonicNow() const override;
  bool WaitUntil(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
                 absl::Duration deadline, const std::function<bool()>& done) const override;

  void Advance(absl::Duration by);
  // Blocks until `count` threads sit in WaitUntil: then nobody else will act until time moves.
  // False after ten real seconds without that.
  bool AwaitWaiters(int count) const;
  // The nearest deadline any thread waits for, relative to now; InfiniteDuration when nobody waits.
  absl::Duration NextDeadline() const;

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable waiters_changed_;
  mutable std::multiset<absl::Duration> deadlines_;
  absl::Time wall_;
  absl::Duration monotonic_ = absl::Seconds(1000);
};

}  // namespace headgate
