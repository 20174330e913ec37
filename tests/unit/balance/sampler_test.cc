#include "dataplane/balance/sampler.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>

#include "dataplane/balance/ewma.h"
#include "tests/unit/balance/peers.h"

namespace headgate::balance {
namespace {

using std::chrono::milliseconds;

// A list of peers and the lots drawn among them.
struct Lots {
  Lots(Policy policy, size_t count) : peers(count), sampler(policy) {
    sampler.Reset(peers.all(), TimePoint());
  }
  Lots(Policy policy, std::initializer_list<uint32_t> weights) : peers(weights), sampler(policy) {
    sampler.Reset(peers.all(), TimePoint());
  }
  Peer* Pick(const PickContext& context = {}) { return sampler.Pick(context, random); }

  Peers peers;
  Sampler sampler;
  Random random{42};
};

class EverySampler : public ::testing::TestWithParam<Policy> {};

TEST_P(EverySampler, PicksNothingFromNothing) {
  Lots lots(GetParam(), size_t{0});
  EXPECT_EQ(lots.Pick(), nullptr);
}

TEST_P(EverySampler, SpreadsEvenlyOverEqualEndpoints) {
  Lots lots(GetParam(), size_t{10});
  const auto counts = CountPicks(lots, 100'000);
  for (PeerId id = 0; id < 10; ++id) EXPECT_NEAR(counts.at(id), 10'000, 500) << id;
}

// Not ewma, where what answers cost decides.
class WeightedSampler : public ::testing::TestWithParam<Policy> {};

TEST_P(WeightedSampler, FollowsWeightsWithoutLoad) {
  Lots lots(GetParam(), {1, 2, 5});
  const auto counts = CountPicks(lots, 80'000);
  // Of two different ones drawn the first counts: the heaviest gets its share of first draws.
  EXPECT_NEAR(counts.at(0), 10'000, 500);
  EXPECT_NEAR(counts.at(1), 20'000, 700);
  EXPECT_NEAR(counts.at(2), 50'000, 700);
}

TEST_P(EverySampler, AvoidsTriedEndpoints) {
  Lots lots(GetParam(), size_t{3});
  const std::vector<PeerId> tried = {0, 2};
  for (int i = 0; i < 50; ++i) EXPECT_EQ(lots.Pick({.tried = tried})->id, 1u);
  const std::vector<PeerId> all = {0, 1, 2};
  EXPECT_EQ(lots.Pick({.tried = all}), nullptr);
}

INSTANTIATE_TEST_SUITE_P(Policies, WeightedSampler,
                         ::testing::Values(Policy::kRandom, Policy::kLeastRequest));
INSTANTIATE_TEST_SUITE_P(Policies, EverySampler,
                         ::testing::Values(Policy::kRandom, Policy::kLeastRequest, Policy::kEwma));

TEST(LeastRequest, PrefersTheOneWithLessUnderWay) {
  Lots lots(Policy::kLeastRequest, size_t{2});
  lots.peers[0].active = 5;
  lots.peers[1].active = 4;
  EXPECT_EQ(CountPicks(lots, 100)[1], 100);
}

TEST(LeastRequest, AllowsHeavyEndpointsMoreUnderWay) {
  Lots lots(Policy::kLeastRequest, {1, 4});
  lots.peers[0].active = 2;
  lots.peers[1].active = 7;
  EXPECT_EQ(CountPicks(lots, 100)[1], 100) << "7 of 4 are less than 2 of 1";
  lots.peers[1].active = 9;
  EXPECT_EQ(CountPicks(lots, 100)[0], 100);
}

TEST(Ewma, PrefersTheFasterOne) {
  Lots lots(Policy::kEwma, size_t{2});
  Observe(lots.peers[0], milliseconds(50), TimePoint());
  Observe(lots.peers[1], milliseconds(10), TimePoint());
  EXPECT_EQ(CountPicks(lots, 100)[1], 100);
  lots.peers[1].active = 9;
  EXPECT_EQ(CountPicks(lots, 100)[0], 100) << "ten times 10 ms are more than once 50 ms";
}

TEST(Ewma, BelievesSlownessAtOnceAndSpeedSlowly) {
  Peer peer(1);
  TimePoint now;
  Observe(peer, milliseconds(10), now);
  Observe(peer, milliseconds(100), now);
  EXPECT_FLOAT_EQ(Score(peer, now), 100'000);
  now += std::chrono::seconds(10);
  EXPECT_NEAR(Score(peer, now), 100'000 / 2.718, 100) << "without answers it decays";
  Observe(peer, milliseconds(10), now);
  EXPECT_NEAR(Score(peer, now), 100'000 / 2.718 + 10'000 * (1 - 1 / 2.718), 200);
}

TEST(Ewma, NewEndpointsBeginAtTheMean) {
  Lots lots(Policy::kEwma, size_t{2});
  Observe(lots.peers[0], milliseconds(20), TimePoint());
  Observe(lots.peers[1], milliseconds(40), TimePoint());
  Peer& added = lots.peers.Add();
  lots.sampler.Reset(lots.peers.all(), TimePoint());
  EXPECT_FLOAT_EQ(Score(added, TimePoint()), 30'000);
}

}  // namespace
}  // namespace headgate::balance
