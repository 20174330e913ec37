#include "dataplane/balance/round_robin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <set>

#include "tests/unit/balance/peers.h"

namespace headgate::balance {
namespace {

// A list of peers and its turns.
struct Turns {
  template <typename T>
  explicit Turns(T of, uint64_t seed = 3) : peers(of) {
    Random random(seed);
    round_robin.Reset(peers.all(), random);
  }
  explicit Turns(std::initializer_list<uint32_t> weights, uint64_t seed = 3) : peers(weights) {
    Random random(seed);
    round_robin.Reset(peers.all(), random);
  }
  PeerId Next() { return round_robin.Pick({})->id; }

  Peers peers;
  RoundRobin round_robin;
};

TEST(RoundRobin, PicksNothingFromNothing) {
  RoundRobin round_robin;
  EXPECT_EQ(round_robin.Pick({}), nullptr);
  Random random(1);
  round_robin.Reset({}, random);
  EXPECT_EQ(round_robin.Pick({}), nullptr);
}

TEST(RoundRobin, GivesEveryEqualEndpointItsTurn) {
  Turns turns(size_t{5});
  for (int round = 0; round < 3; ++round) {
    std::set<PeerId> seen;
    for (int i = 0; i < 5; ++i) seen.insert(turns.Next());
    EXPECT_EQ(seen.size(), 5u);
  }
}

TEST(RoundRobin, StartsAtDifferentPlacesForDifferentSeeds) {
  std::map<PeerId, int> first_picks;
  for (uint64_t seed = 0; seed < 1000; ++seed) ++first_picks[Turns(size_t{4}, seed).Next()];
  for (PeerId i = 0; i < 4; ++i) EXPECT_NEAR(first_picks[i], 250, 60) << i;
}

TEST(RoundRobin, StartsAtDifferentPlacesWithWeightsToo) {
  std::map<PeerId, int> first_picks;
  for (uint64_t seed = 0; seed < 1000; ++seed) ++first_picks[Turns({3, 1}, seed).Next()];
  EXPECT_GT(first_picks[1], 60);
  EXPECT_GT(first_picks[0], first_picks[1]);
}

TEST(RoundRobin, FollowsWeightsExactlyOverEachPeriod) {
  Turns turns({5, 1, 2});
  const auto counts = CountPicks(turns.round_robin, 8 * 100);
  EXPECT_NEAR(counts.at(0), 500, 1);
  EXPECT_NEAR(counts.at(1), 100, 1);
  EXPECT_NEAR(counts.at(2), 200, 1);
}

TEST(RoundRobin, SpreadsHeavyEndpointsEvenly) {
  Turns turns({2, 1, 1});
  PeerId last = 99;
  int run = 0;
  for (int i = 0; i < 400; ++i) {
    const PeerId id = turns.Next();
    run = id == last ? run + 1 : 1;
    last = id;
    EXPECT_LE(run, 2) << "at pick " << i;
  }
}

TEST(RoundRobin, TakesWeightZeroForOne) {
  Turns turns({0, 1});
  EXPECT_EQ(CountPicks(turns.round_robin, 10).at(0), 5);
}

TEST(RoundRobin, GivesAnEndpointThatStartsSlowlyItsShare) {
  Peers peers(2);
  peers[0].share = 0.1F;
  Random random(3);
  RoundRobin round_robin;
  round_robin.Reset(peers.all(), random);
  EXPECT_NEAR(CountPicks(round_robin, 1100)[0], 100, 1);
}

TEST(RoundRobin, AvoidsTriedEndpoints) {
  Turns turns(size_t{3});
  const std::vector<PeerId> tried = {0, 2};
  for (int i = 0; i < 10; ++i) EXPECT_EQ(turns.round_robin.Pick({.tried = tried})->id, 1u);
  const std::vector<PeerId> all = {0, 1, 2};
  EXPECT_EQ(turns.round_robin.Pick({.tried = all}), nullptr);
}

TEST(RoundRobin, PassingOverTriedOnesKeepsTheWeightsOfTheOthers) {
  Turns turns({10, 2, 1});
  const std::vector<PeerId> tried = {0};
  auto counts = CountPicks(turns.round_robin, 300, {.tried = tried});
  EXPECT_EQ(counts.count(0), 0u);
  EXPECT_NEAR(counts[1], 200, 2);
}

TEST(RoundRobin, SurvivesManyPicksWithExtremeWeights) {
  Turns turns({0xffffffff, 1});
  EXPECT_GE(CountPicks(turns.round_robin, 10'000)[0], 9'999);
}

}  // namespace
}  // namespace headgate::balance
