#include "dataplane/balance/round_robin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace headgate::balance {
namespace {

std::map<uint32_t, int> CountPicks(RoundRobin& balancer, int picks) {
  std::map<uint32_t, int> counts;
  for (int i = 0; i < picks; ++i) ++counts[balancer.Pick()->index];
  return counts;
}

TEST(RoundRobin, PicksNothingFromNothing) {
  RoundRobin balancer(1);
  EXPECT_FALSE(balancer.Pick());
  balancer.Reset({});
  EXPECT_FALSE(balancer.Pick());
}

TEST(RoundRobin, GivesEveryEqualEndpointItsTurn) {
  RoundRobin balancer(7);
  balancer.Reset(std::vector<Candidate>(5));
  for (int round = 0; round < 3; ++round) {
    std::set<uint32_t> seen;
    for (int i = 0; i < 5; ++i) seen.insert(balancer.Pick()->index);
    EXPECT_EQ(seen.size(), 5u);
  }
}

TEST(RoundRobin, StartsAtDifferentPlacesForDifferentSeeds) {
  std::map<uint32_t, int> first_picks;
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    RoundRobin balancer(seed);
    balancer.Reset(std::vector<Candidate>(4));
    ++first_picks[balancer.Pick()->index];
  }
  for (uint32_t i = 0; i < 4; ++i) EXPECT_NEAR(first_picks[i], 250, 60) << i;
}

TEST(RoundRobin, StartsAtDifferentPlacesWithWeightsToo) {
  std::map<uint32_t, int> first_picks;
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    RoundRobin balancer(seed);
    balancer.Reset(std::vector<Candidate>{{.weight = 3}, {.weight = 1}});
    ++first_picks[balancer.Pick()->index];
  }
  EXPECT_GT(first_picks[1], 60);
  EXPECT_GT(first_picks[0], first_picks[1]);
}

TEST(RoundRobin, FollowsWeightsExactlyOverEachPeriod) {
  RoundRobin balancer(3);
  balancer.Reset(std::vector<Candidate>{{.weight = 5}, {.weight = 1}, {.weight = 2}});
  const auto counts = CountPicks(balancer, 8 * 100);
  EXPECT_NEAR(counts.at(0), 500, 1);
  EXPECT_NEAR(counts.at(1), 100, 1);
  EXPECT_NEAR(counts.at(2), 200, 1);
}

TEST(RoundRobin, SpreadsHeavyEndpointsEvenly) {
  RoundRobin balancer(3);
  balancer.Reset(std::vector<Candidate>{{.weight = 2}, {.weight = 1}, {.weight = 1}});
  uint32_t last = 99;
  int run = 0;
  for (int i = 0; i < 400; ++i) {
    const uint32_t index = balancer.Pick()->index;
    run = index == last ? run + 1 : 1;
    last = index;
    EXPECT_LE(run, 2) << "at pick " << i;
  }
}

TEST(RoundRobin, TakesWeightZeroForOne) {
  RoundRobin balancer(3);
  balancer.Reset(std::vector<Candidate>{{.weight = 0}, {.weight = 1}});
  const auto counts = CountPicks(balancer, 10);
  EXPECT_EQ(counts.at(0), 5);
}

TEST(RoundRobin, LeavesDrainingEndpointsAloneWhileOthersLive) {
  RoundRobin balancer(3);
  balancer.Reset(std::vector<Candidate>{{.draining = true}, {}, {}});
  EXPECT_EQ(balancer.live_count(), 2u);
  EXPECT_EQ(CountPicks(balancer, 20).count(0), 0u);
}

TEST(RoundRobin, FallsBackToDrainingEndpoints) {
  RoundRobin balancer(3);
  balancer.Reset(std::vector<Candidate>{{.draining = true}, {.draining = true}});
  EXPECT_EQ(CountPicks(balancer, 10).size(), 2u);
}

TEST(RoundRobin, AvoidsTriedEndpointsUntilNoneIsLeft) {
  RoundRobin balancer(3);
  balancer.Reset(std::vector<Candidate>{{}, {.draining = true}, {}});
  std::set<uint32_t> tried;
  const auto was_tried = [&](uint32_t index) { return tried.count(index) > 0; };
  std::vector<uint32_t> order;
  for (int i = 0; i < 3; ++i) {
    const auto choice = balancer.Pick(was_tried);
    ASSERT_TRUE(choice);
    EXPECT_FALSE(choice->repeated);
    order.push_back(choice->index);
    tried.insert(choice->index);
  }
  EXPECT_EQ(order.back(), 1u) << "the draining one comes last";
  EXPECT_EQ(tried.size(), 3u);
  const auto again = balancer.Pick(was_tried);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->repeated);
  EXPECT_NE(again->index, 1u);
}

TEST(RoundRobin, PassingOverTriedOnesKeepsTheWeightsOfTheOthers) {
  RoundRobin balancer(3);
  balancer.Reset(std::vector<Candidate>{{.weight = 10}, {.weight = 2}, {.weight = 1}});
  std::map<uint32_t, int> counts;
  const auto tried = [](uint32_t index) { return index == 0; };
  for (int i = 0; i < 300; ++i) ++counts[balancer.Pick(tried)->index];
  EXPECT_EQ(counts.count(0), 0u);
  EXPECT_NEAR(counts[1], 200, 2);
}

TEST(RoundRobin, SurvivesManyPicksWithExtremeWeights) {
  RoundRobin balancer(3);
  balancer.Reset(std::vector<Candidate>{{.weight = 0xffffffff}, {.weight = 1}});
  EXPECT_GE(CountPicks(balancer, 10'000)[0], 9'999);
}

}  // namespace
}  // namespace headgate::balance
