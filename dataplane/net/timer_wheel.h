#pragma once

#include <array>
#include <chrono>
#include <cstdint>

#include "dataplane/base/intrusive_list.h"

namespace headgate::net {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using std::chrono::milliseconds;

class Timer;
class TimerWheel;

class TimerHandler {
 public:
  virtual void OnTimer(Timer& timer) = 0;

 protected:
  ~TimerHandler() = default;
};

// One timeout of one object, a member of it. Destroying it cancels. Arming again is cheap: moving
// the deadline later only writes a number (the wheel looks again when the earlier time comes).
class Timer : private base::ListNode {
 public:
  Timer(TimerWheel& wheel, TimerHandler& handler) : wheel_(wheel), handler_(handler) {}

  // Fires once, not before `delay` has passed and at most about two ticks later.
  void Arm(milliseconds delay);
  void Cancel() { deadline_tick_ = 0; }
  bool armed() const { return deadline_tick_ != 0; }

 private:
  friend class TimerWheel;
  friend class base::IntrusiveList<Timer>;

  TimerWheel& wheel_;
  TimerHandler& handler_;
  uint64_t deadline_tick_ = 0;  // 0: not armed
  uint64_t slot_tick_ = 0;      // when the wheel will look at it, if linked
};

// Hierarchical timing wheel of coarse ticks, advanced once a loop turn. Three levels reach 46
// hours; longer delays are looked at again then.
class TimerWheel {
 public:
  static constexpr milliseconds kTick{10};

  explicit TimerWheel(TimePoint now) : start_(now) {}
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Fires everything due at `now`. Handlers may arm, cancel and destroy timers, their own included.
  void Advance(TimePoint now);

  // How long the loop may sleep: until the next tick that has anything linked, `max` if none is
  // near.
  milliseconds UntilNext(TimePoint now, milliseconds max) const;

 private:
  friend class Timer;
  static constexpr int kBits = 8;
  static constexpr uint64_t kSlots = 1 << kBits;
  static constexpr int kLevels = 3;

  void Link(Timer& timer, uint64_t tick);
  void Cascade(int level);
  uint64_t TickAt(TimePoint time) const { return static_cast<uint64_t>((time - start_) / kTick); }

  const TimePoint start_;
  uint64_t current_ = 0;  // the turn's tick: last one processed
  std::array<std::array<base::IntrusiveList<Timer>, kSlots>, kLevels> slots_;
};

}  // namespace headgate::net
