#include "controller/kube/recurring_task.h"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace headgate::kube {
namespace {

class RecurringTaskTest : public ::testing::Test {
 protected:
  // Until the thread rests after so many turns.
  void AwaitRest(int turns) {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      ASSERT_TRUE(
          changed_.wait_for(lock, std::chrono::seconds(10), [&] { return turns_ >= turns; }));
      EXPECT_EQ(turns_, turns);
    }
    ASSERT_TRUE(clock_.AwaitWaiters(1));
  }

  FakeClock clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int turns_ = 0;
  RecurringTask task_{clock_, [this] {
                        const std::lock_guard<std::mutex> lock(mutex_);
                        ++turns_;
                        changed_.notify_all();
                        return absl::Seconds(10 * turns_);
                      }};
};

TEST_F(RecurringTaskTest, RestsAsLongAsEachTurnSays) {
  task_.Start();
  AwaitRest(1);
  EXPECT_EQ(clock_.NextDeadline(), absl::Seconds(10));
  clock_.Advance(absl::Seconds(10));
  AwaitRest(2);
  EXPECT_EQ(clock_.NextDeadline(), absl::Seconds(20));
}

TEST_F(RecurringTaskTest, AWakeEndsTheRest) {
  task_.Wake();  // before there is a thread: nothing comes of it
  task_.Start();
  AwaitRest(1);
  task_.Wake();
  AwaitRest(2);
}

TEST_F(RecurringTaskTest, StopsOnceAndSaysSo) {
  int cancelled = 0;
  const auto cancel = [&] { ++cancelled; };
  EXPECT_FALSE(task_.Stop(cancel));
  task_.Start();
  AwaitRest(1);
  EXPECT_TRUE(task_.Stop(cancel));
  EXPECT_FALSE(task_.Stop(cancel));
  EXPECT_EQ(cancelled, 1);
  EXPECT_EQ(turns_, 1);
}

// What is woken during a turn is not lost, and what the turn waits for ends with Stop.
TEST(RecurringTaskTurnTest, IsCancelledAndFollowedByAnother) {
  FakeClock clock;
  std::mutex mutex;
  std::condition_variable changed;
  bool released = false;
  int turns = 0;
  RecurringTask task(clock, [&] {
    std::unique_lock<std::mutex> lock(mutex);
    ++turns;
    changed.notify_all();
    changed.wait(lock, [&] { return released; });
    if (turns == 1) released = false;
    return absl::Hours(1);
  });
  const auto release = [&] {
    const std::lock_guard<std::mutex> lock(mutex);
    released = true;
    changed.notify_all();
  };
  task.Start();
  {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [&] { return turns == 1; });
  }
  task.Wake();
  release();
  {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [&] { return turns == 2; });
  }
  EXPECT_TRUE(task.Stop(release));
}

}  // namespace
}  // namespace headgate::kube
