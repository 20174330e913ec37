#include "controller/state/inbox.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/support/kube_objects.h"

namespace headgate::state {
namespace {

TEST(InboxTest, KeepsTheOrderAndHandsOutEverythingOnce) {
  FakeClock clock;
  Inbox inbox(clock);
  inbox.OnReplace({kube::Kind::kService, "", "", {testing::SimpleService("a", "web", 80, 1)}, {}});
  inbox.OnSynced(kube::Kind::kService);
  inbox.OnChanges({kube::Deletion{kube::Kind::kService, {"a", "web"}}});
  std::vector<Inbox::Event> events = inbox.Wait(std::nullopt);
  ASSERT_EQ(events.size(), 3u);

  ClusterState state({.relevance = {}, .required = {kube::Kind::kService}, .secrets = {}});
  ApplyEvent(state, std::move(events[0]));
  EXPECT_EQ(state.object_count(kube::Kind::kService), 1u);
  EXPECT_FALSE(state.Synced());
  ApplyEvent(state, std::move(events[1]));
  EXPECT_TRUE(state.Synced());
  ApplyEvent(state, std::move(events[2]));
  EXPECT_EQ(state.object_count(kube::Kind::kService), 0u);

  EXPECT_TRUE(inbox.Wait(clock.MonotonicNow()).empty());
}

TEST(InboxTest, WaitEndsAtTheDeadline) {
  FakeClock clock;
  Inbox inbox(clock);
  size_t count = 1;
  std::thread owner(
      [&] { count = inbox.Wait(clock.MonotonicNow() + absl::Milliseconds(5)).size(); });
  EXPECT_TRUE(clock.AwaitWaiters(1));
  clock.Advance(absl::Milliseconds(5));
  owner.join();
  EXPECT_EQ(count, 0u);
}

TEST(InboxTest, WakeAndEventsFromOtherThreadsEndTheWait) {
  SystemClock clock;
  Inbox inbox(clock);
  std::thread waker([&] { inbox.Wake(); });
  EXPECT_TRUE(inbox.Wait(std::nullopt).empty());
  waker.join();
  std::thread source([&] { inbox.OnSynced(kube::Kind::kSecret); });
  EXPECT_EQ(inbox.Wait(std::nullopt).size(), 1u);
  source.join();
}

}  // namespace
}  // namespace headgate::state
