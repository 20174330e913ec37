#include "dataplane/balance/balancer.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "tests/unit/balance/peers.h"

namespace headgate::balance {
namespace {

TEST(Balancer, PicksNothingFromNothing) {
  Balancer balancer(1);
  EXPECT_EQ(balancer.Pick({}), nullptr);
  balancer.Reset({}, nullptr, {}, TimePoint());
  EXPECT_EQ(balancer.Pick({}), nullptr);
}

TEST(Balancer, LeavesDrainingEndpointsAloneWhileOthersLive) {
  Peers peers(3);
  peers[0].draining = true;
  Balancer balancer(3);
  balancer.Reset({}, nullptr, peers.all(), TimePoint());
  EXPECT_EQ(CountPicks(balancer, 20).count(0), 0u);
}

TEST(Balancer, FallsBackToDrainingEndpoints) {
  Peers peers(2);
  peers[0].draining = peers[1].draining = true;
  Balancer balancer(3);
  balancer.Reset({}, nullptr, peers.all(), TimePoint());
  EXPECT_EQ(CountPicks(balancer, 10).size(), 2u);
}

TEST(Balancer, LeavesUnavailableEndpointsAloneUntilTheyAreBack) {
  Peers peers(3);
  peers[1].available = false;
  Balancer balancer(3);
  balancer.Reset({}, nullptr, peers.all(), TimePoint());
  EXPECT_EQ(CountPicks(balancer, 30).count(1), 0u);
  peers[1].available = true;
  balancer.Reset({}, nullptr, peers.all(), TimePoint());
  EXPECT_EQ(CountPicks(balancer, 30)[1], 10);
}

TEST(Balancer, PrefersDrainingEndpointsToUnavailableOnes) {
  Peers peers(2);
  peers[0].available = false;
  peers[1].draining = true;
  Balancer balancer(3);
  balancer.Reset({}, nullptr, peers.all(), TimePoint());
  EXPECT_EQ(CountPicks(balancer, 10)[1], 10);
}

TEST(Balancer, UsesWhoeverThereIsWhenNobodyIsAvailable) {
  Peers peers(3);
  for (size_t i = 0; i < 3; ++i) peers[i].available = false;
  peers[2].draining = true;
  Balancer balancer(3);
  balancer.Reset({}, nullptr, peers.all(), TimePoint());
  const auto counts = CountPicks(balancer, 10);
  EXPECT_EQ(counts.size(), 2u);
  EXPECT_EQ(counts.count(2), 0u);
}

TEST(Balancer, UsesBackupsWhileNobodyElseIsAvailable) {
  for (const Policy policy : {Policy::kRoundRobin, Policy::kLeastRequest}) {
    Peers peers(3);
    peers[2].backup = true;
    Balancer balancer(3);
    balancer.Reset({.policy = policy}, nullptr, peers.all(), TimePoint());
    EXPECT_EQ(CountPicks(balancer, 30).count(2), 0u);
    peers[0].available = peers[1].available = false;
    balancer.Reset({.policy = policy}, nullptr, peers.all(), TimePoint());
    EXPECT_EQ(CountPicks(balancer, 10)[2], 10);
  }
}

TEST(Balancer, TriesEveryoneBeforeAnyoneAgain) {
  Peers peers(3);
  peers[1].draining = true;
  Balancer balancer(3);
  balancer.Reset({}, nullptr, peers.all(), TimePoint());
  std::vector<PeerId> tried;
  for (int i = 0; i < 3; ++i) {
    const Peer* peer = balancer.Pick({.tried = tried});
    ASSERT_NE(peer, nullptr);
    tried.push_back(peer->id);
  }
  EXPECT_EQ(tried.back(), 1u) << "the draining one comes last";
  EXPECT_EQ(std::set<PeerId>(tried.begin(), tried.end()).size(), 3u);
  const Peer* again = balancer.Pick({.tried = tried});
  ASSERT_NE(again, nullptr);
  EXPECT_NE(again->id, 1u);
}

}  // namespace
}  // namespace headgate::balance
