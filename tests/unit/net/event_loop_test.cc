#include "dataplane/net/event_loop.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <functional>
#include <string>
#include <thread>

#include "dataplane/net/socket.h"

namespace headgate::net {
namespace {

struct Handler : IoHandler {
  void OnIo(IoEvents events) override {
    ++calls;
    last = events;
    if (action) action();
  }
  int calls = 0;
  IoEvents last;
  std::function<void()> action;
};

struct Pair {
  Pair() {
    int fds[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    a = Fd(fds[0]);
    b = Fd(fds[1]);
  }
  Fd a, b;
};

struct LambdaTask : ReadyTask {
  explicit LambdaTask(std::function<void()> f) : work(std::move(f)) {}
  void RunReady() override { work(); }
  std::function<void()> work;
};

constexpr milliseconds kSoon{20};

TEST(EventLoopTest, ReportsEdgesOnce) {
  EventLoop loop;
  Pair pair;
  Handler handler;
  const IoRegistration registration = loop.Watch(pair.a.get(), handler);
  loop.RunOnce(kSoon);
  EXPECT_TRUE(handler.last.writable);
  EXPECT_FALSE(handler.last.readable);

  handler.calls = 0;
  ASSERT_EQ(write(pair.b.get(), "x", 1), 1);
  loop.RunOnce(kSoon);
  EXPECT_TRUE(handler.last.readable);
  loop.RunOnce(milliseconds(0));
  EXPECT_EQ(handler.calls, 1);

  pair.b.Close();
  loop.RunOnce(kSoon);
  EXPECT_TRUE(handler.last.peer_closed);
}

TEST(EventLoopTest, DropsEventsOfARegistrationThatEndedInTheSameTurn) {
  EventLoop loop;
  Pair one, two;
  Handler first, second;
  IoRegistration first_registration = loop.Watch(one.a.get(), first);
  IoRegistration second_registration = loop.Watch(two.a.get(), second);
  // Whichever comes first ends the other.
  first.action = [&] { second_registration.Reset(); };
  second.action = [&] { first_registration.Reset(); };
  loop.RunOnce(kSoon);
  EXPECT_EQ(first.calls + second.calls, 1);
}

TEST(EventLoopTest, ReusedSlotDoesNotGetItsPredecessorsEvents) {
  EventLoop loop;
  Pair one, two;
  Handler first, second;
  IoRegistration registration = loop.Watch(one.a.get(), first);
  registration.Reset();
  registration = loop.Watch(two.a.get(), second);
  loop.RunOnce(kSoon);
  EXPECT_EQ(first.calls, 0);
  EXPECT_EQ(second.calls, 1);
}

TEST(EventLoopTest, RunsReadyTasksThenFlushTasksThenFreesTheRetired) {
  struct Witness : Retirable {
    explicit Witness(std::string& l) : log(l) {}
    ~Witness() override { log += "freed "; }
    std::string& log;
  };
  EventLoop loop;
  std::string log;
  LambdaTask flush([&] { log += "flush "; });
  LambdaTask ready([&] { log += "ready "; });
  loop.Retire(std::make_unique<Witness>(log));
  loop.ScheduleFlush(flush);
  loop.ScheduleFlush(flush);
  loop.Schedule(ready);
  loop.RunOnce(kSoon);
  EXPECT_EQ(log, "ready flush freed ");
  loop.RunOnce(milliseconds(0));
  EXPECT_EQ(log, "ready flush freed ");
}

TEST(EventLoopTest, WhatAFlushSetsOffRunsInTheSameTurn) {
  // Else the next turn would have to poll instead of wait.
  EventLoop loop;
  std::string log;
  LambdaTask recycle([&] { log += "recycle "; });
  LambdaTask flush([&] {
    log += "flush ";
    loop.ScheduleFlush(recycle);
  });
  loop.ScheduleFlush(flush);
  loop.RunOnce(milliseconds(0));
  EXPECT_EQ(log, "flush recycle ");
}

TEST(EventLoopTest, ATaskHasATimeOfItsOwnAndOneOnly) {
  EventLoop loop;
  const auto wait = [] {
    for (const TimePoint begin = Clock::now(); Clock::now() == begin;) {
    }
  };
  TimePoint first, again, other;
  LambdaTask one([&] {
    first = loop.event_now();
    wait();
    again = loop.event_now();
  });
  LambdaTask two([&] { other = loop.event_now(); });
  loop.Schedule(one);
  loop.Schedule(two);
  loop.RunOnce(milliseconds(0));
  EXPECT_EQ(first, again);
  EXPECT_LT(again, other);
}

TEST(EventLoopTest, ADestroyedTaskDoesNotRun) {
  EventLoop loop;
  int runs = 0;
  auto doomed = std::make_unique<LambdaTask>([&] { ++runs; });
  LambdaTask killer([&] { doomed.reset(); });
  loop.Schedule(killer);
  loop.Schedule(*doomed);
  loop.RunOnce(milliseconds(0));
  EXPECT_EQ(runs, 0);
}

TEST(EventLoopTest, WorkPostedFromOtherThreadsRunsInOrder) {
  EventLoop loop;
  std::vector<int> seen;
  std::thread poster([&] {
    for (int i = 0; i < 1000; ++i) loop.Post([&seen, i] { seen.push_back(i); });
    loop.Post([&loop] { loop.Stop(); });
  });
  loop.Run();
  poster.join();
  ASSERT_EQ(seen.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(seen[static_cast<size_t>(i)], i);
}

TEST(EventLoopTest, WorkIsRunOrDestroyedWhenTheLoopEnds) {
  EventLoop loop;
  auto token = std::make_shared<int>(0);
  // The turn ends with the Stop; what its mail posts is left over.
  loop.Post([&loop, token] {
    loop.Stop();
    loop.Post([token] { ++*token; });
  });
  loop.Run();
  EXPECT_EQ(*token, 1);
  loop.Post([token] { ++*token; });
  EXPECT_EQ(*token, 1);
  EXPECT_EQ(token.use_count(), 1);
}

TEST(EventLoopTest, TimersWakeTheLoop) {
  struct Stopper : TimerHandler {
    explicit Stopper(EventLoop& l) : loop(l) {}
    void OnTimer(Timer&) override { loop.Stop(); }
    EventLoop& loop;
  };
  EventLoop loop;
  Stopper stopper(loop);
  Timer timer(loop.timers(), stopper);
  const TimePoint start = Clock::now();
  timer.Arm(milliseconds(50));
  loop.Run();
  EXPECT_GE(Clock::now() - start, milliseconds(50));
}

}  // namespace
}  // namespace headgate::net
