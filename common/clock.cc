#include "common/clock.h"

#include <time.h>

#include <algorithm>
#include <chrono>

#include "absl/time/clock.h"

namespace headgate {

// lint: allow(wall-clock) this is the clock that others take
absl::Time SystemClock::WallNow() const { return absl::Now(); }

absl::Duration SystemClock::MonotonicNow() const {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return absl::DurationFromTimespec(now);
}

bool SystemClock::WaitUntil(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
                            absl::Duration deadline, const std::function<bool()>& done) const {
  // Waiting at most an hour at a time keeps an infinite deadline within what chrono can add.
  while (!done()) {
    const absl::Duration left = deadline - MonotonicNow();
    if (left <= absl::ZeroDuration()) return false;
    changed.wait_for(lock, absl::ToChronoNanoseconds(std::min(left, absl::Hours(1))));
  }
  return true;
}

absl::Time FakeClock::WallNow() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return wall_;
}

absl::Duration FakeClock::MonotonicNow() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return monotonic_;
}

// Looks again every millisecond of real time: the fake cannot hold on to the caller's mutex and
// condition (they may be gone by the time of Advance), and a test that waits a millisecond is quick
// enough.
bool FakeClock::WaitUntil(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
                          absl::Duration deadline, const std::function<bool()>& done) const {
  if (done()) return true;
  std::multiset<absl::Duration>::iterator entry;
  {
    const std::lock_guard<std::mutex> own(mutex_);
    entry = deadlines_.insert(deadline);
    waiters_changed_.notify_all();
  }
  while (!done() && MonotonicNow() < deadline) {
    changed.wait_for(lock, std::chrono::milliseconds(1));
  }
  {
    const std::lock_guard<std::mutex> own(mutex_);
    deadlines_.erase(entry);
    waiters_changed_.notify_all();
  }
  return done();
}

void FakeClock::Advance(absl::Duration by) {
  const std::lock_guard<std::mutex> lock(mutex_);
  wall_ += by;
  monotonic_ += by;
}

bool FakeClock::AwaitWaiters(int count) const {
  std::unique_lock<std::mutex> lock(mutex_);
  return waiters_changed_.wait_for(lock, std::chrono::seconds(10), [&] {
    return deadlines_.size() >= static_cast<size_t>(count) && *deadlines_.begin() > monotonic_;
  });
}

absl::Duration FakeClock::NextDeadline() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return deadlines_.empty() ? absl::InfiniteDuration() : *deadlines_.begin() - monotonic_;
}

}  // namespace headgate
