#include "dataplane/net/timer_wheel.h"

#include <algorithm>

namespace headgate::net {

void Timer::Arm(milliseconds delay) {
  // From the turn's time, rounded up, plus one because the current tick is partly over.
  const auto ticks = static_cast<uint64_t>(
      (std::max(delay, milliseconds(0)) + TimerWheel::kTick - milliseconds(1)) / TimerWheel::kTick);
  deadline_tick_ = wheel_.current_ + ticks + 1;
  if (linked() && slot_tick_ <= deadline_tick_) return;  // looked at early enough already
  wheel_.Link(*this, deadline_tick_);
}

void TimerWheel::Link(Timer& timer, uint64_t tick) {
  tick = std::max(tick, current_ + 1);
  timer.slot_tick_ = tick;
  uint64_t distance = tick - current_;
  int level = 0;
  while (level < kLevels - 1 && distance >= kSlots) {
    distance >>= kBits;
    ++level;
  }
  if (level == kLevels - 1 && distance >= kSlots) {
    // Beyond the wheel: look again when the wheel has gone round.
    timer.slot_tick_ = current_ + (uint64_t{1} << (kBits * kLevels)) - 1;
    tick = timer.slot_tick_;
  }
  slots_[level][(tick >> (kBits * level)) % kSlots].PushBack(timer);
}

void TimerWheel::Cascade(int level) {
  base::IntrusiveList<Timer> due;
  due.Splice(slots_[level][(current_ >> (kBits * level)) % kSlots]);
  while (!due.empty()) {
    Timer& timer = due.front();
    timer.Unlink();
    if (!timer.armed()) continue;
    // A timer due in this very tick goes into the slot that is processed next.
    const uint64_t tick = std::max(timer.deadline_tick_, current_);
    if (tick == current_) {
      timer.slot_tick_ = tick;
      slots_[0][tick % kSlots].PushBack(timer);
    } else {
      Link(timer, tick);
    }
  }
}

void TimerWheel::Advance(TimePoint now) {
  const uint64_t target = TickAt(now);
  while (current_ < target) {
    ++current_;
    for (int level = kLevels - 1; level > 0; --level) {
      if (current_ % (uint64_t{1} << (kBits * level)) == 0) Cascade(level);
    }
    base::IntrusiveList<Timer> due;
    due.Splice(slots_[0][current_ % kSlots]);
    while (!due.empty()) {
      Timer& timer = due.front();
      timer.Unlink();
      if (!timer.armed()) continue;
      if (timer.deadline_tick_ > current_) {
        Link(timer, timer.deadline_tick_);
        continue;
      }
      timer.Cancel();
      timer.handler_.OnTimer(timer);  // may destroy the timer
    }
  }
}

milliseconds TimerWheel::UntilNext(TimePoint now, milliseconds max) const {
  const uint64_t reach =
      std::min<uint64_t>(kSlots, static_cast<uint64_t>(std::max<int64_t>(max / kTick, 1)));
  for (uint64_t ahead = 1; ahead <= reach; ++ahead) {
    const uint64_t tick = current_ + ahead;
    // A cascade may bring timers down: wake for it.
    if (slots_[0][tick % kSlots].empty() && tick % kSlots != 0) continue;
    const TimePoint due = start_ + kTick * static_cast<int64_t>(tick);
    if (due <= now) return milliseconds(0);
    return std::min(max, std::chrono::ceil<milliseconds>(due - now));
  }
  return max;
}

}  // namespace headgate::net
