#include "dataplane/net/timer_wheel.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <vector>

namespace headgate::net {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

struct Recorder : TimerHandler {
  void OnTimer(Timer&) override { ++fired; }
  int fired = 0;
};

class TimerWheelTest : public testing::Test {
 public:
  void Go(milliseconds by) { wheel.Advance(now += by); }

  TimePoint now{seconds(1000)};
  TimerWheel wheel{now};
  Recorder recorder;
  Timer timer{wheel, recorder};
};

TEST_F(TimerWheelTest, FiresOnceNotBeforeItsTime) {
  timer.Arm(milliseconds(500));
  Go(milliseconds(500));
  EXPECT_EQ(recorder.fired, 0);
  Go(milliseconds(30));
  EXPECT_EQ(recorder.fired, 1);
  EXPECT_FALSE(timer.armed());
  Go(seconds(10));
  EXPECT_EQ(recorder.fired, 1);
}

TEST_F(TimerWheelTest, CancelledTimerStaysSilent) {
  timer.Arm(milliseconds(100));
  timer.Cancel();
  Go(seconds(1));
  EXPECT_EQ(recorder.fired, 0);
}

TEST_F(TimerWheelTest, MovingTheDeadlineLaterHoldsItBack) {
  timer.Arm(milliseconds(100));
  Go(milliseconds(50));
  timer.Arm(milliseconds(100));
  Go(milliseconds(80));
  EXPECT_EQ(recorder.fired, 0);
  Go(milliseconds(60));
  EXPECT_EQ(recorder.fired, 1);
}

TEST_F(TimerWheelTest, MovingTheDeadlineEarlierFiresEarlier) {
  timer.Arm(seconds(3600));
  timer.Arm(milliseconds(50));
  Go(milliseconds(80));
  EXPECT_EQ(recorder.fired, 1);
}

TEST_F(TimerWheelTest, DestroyedTimerIsForgotten) {
  auto doomed = std::make_unique<Timer>(wheel, recorder);
  doomed->Arm(milliseconds(10));
  doomed.reset();
  Go(seconds(1));
  EXPECT_EQ(recorder.fired, 0);
}

TEST_F(TimerWheelTest, SleepsUntilTheNextDeadline) {
  EXPECT_EQ(wheel.UntilNext(now, milliseconds(1000)), milliseconds(1000));
  timer.Arm(milliseconds(200));
  const milliseconds wait = wheel.UntilNext(now, milliseconds(1000));
  EXPECT_GE(wait, milliseconds(200));
  EXPECT_LE(wait, milliseconds(220));
}

TEST_F(TimerWheelTest, RearmingInsideTheHandlerWorks) {
  struct Repeater : TimerHandler {
    void OnTimer(Timer& t) override {
      if (++fired < 3) t.Arm(milliseconds(10));
    }
    int fired = 0;
  } repeater;
  Timer repeating(wheel, repeater);
  repeating.Arm(milliseconds(10));
  for (int i = 0; i < 20; ++i) Go(milliseconds(10));
  EXPECT_EQ(repeater.fired, 3);
}

// Every delay fires in its window, across all levels of the wheel and whatever the steps.
TEST_F(TimerWheelTest, RandomDelaysFireInTheirWindow) {
  struct Expecting : TimerHandler {
    explicit Expecting(TimerWheelTest& t) : test(t), timer(t.wheel, *this) {}
    void OnTimer(Timer&) override { fired_at = test.now; }
    TimerWheelTest& test;
    Timer timer;
    TimePoint due, fired_at{};
  };
  std::mt19937 random(7);
  std::vector<std::unique_ptr<Expecting>> all;
  for (int i = 0; i < 2000; ++i) {
    all.push_back(std::make_unique<Expecting>(*this));
    const milliseconds delay(random() % (i % 3 == 0 ? 2'000 : i % 3 == 1 ? 700'000 : 200'000'000));
    all.back()->due = now + delay;
    all.back()->timer.Arm(delay);
  }
  const TimePoint start = now;
  milliseconds step(0);
  while (now < start + hours(60)) {
    step = now < start + seconds(3)     ? milliseconds(7)
           : now < start + seconds(800) ? milliseconds(500)
                                        : milliseconds(60'000);
    Go(step);
    for (const auto& e : all) {
      if (e->fired_at == now) {
        EXPECT_GE(now, e->due);
        EXPECT_LE(now, e->due + step + 3 * TimerWheel::kTick);
        e->fired_at = TimePoint::max();
      }
    }
  }
  for (const auto& e : all) EXPECT_EQ(e->fired_at, TimePoint::max());
}

}  // namespace
}  // namespace headgate::net
