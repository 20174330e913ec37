#include "dataplane/balance/hash_ring.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "dataplane/balance/balancer.h"
#include "tests/unit/balance/peers.h"

namespace headgate::balance {
namespace {

std::vector<std::string> Names(int count) {
  std::vector<std::string> names;
  for (int i = 1; i <= count; ++i) names.push_back("10.0.0." + std::to_string(i) + ":8080");
  return names;
}

uint32_t Owner(const HashRing& ring, std::string_view key) { return ring.Find(Crc32(key)).node(); }

// Worked out by another program from the description of ingress-nginx's ring.
TEST(HashRing, IsThatOfIngressNginx) {
  EXPECT_EQ(Crc32("123456789"), 0xcbf43926u);
  const HashRing ring(Names(4));
  EXPECT_EQ(ring.point_count(), 640u);
  EXPECT_EQ(Owner(ring, ""), 0u);
  EXPECT_EQ(Owner(ring, "a"), 2u);
  EXPECT_EQ(Owner(ring, "/index.html"), 0u);
  EXPECT_EQ(Owner(ring, "alice"), 2u);
  EXPECT_EQ(Owner(ring, "1700000000.12.4567"), 0u);
  EXPECT_EQ(Owner(ring, "10.1.2.3"), 0u);
}

TEST(HashRing, DoesNotDependOnTheOrderOfEndpoints) {
  std::vector<std::string> names = Names(20);
  const HashRing ring(names);
  const std::vector<std::string> reversed(names.rbegin(), names.rend());
  const HashRing other(reversed);
  for (int i = 0; i < 1000; ++i) {
    const std::string key = "user" + std::to_string(i);
    EXPECT_EQ(names[Owner(ring, key)], reversed[Owner(other, key)]);
  }
}

TEST(HashRing, WrapsAround) {
  const HashRing ring(Names(1));
  EXPECT_EQ(ring.Find(0xffffffff).node(), 0u);
}

// Endpoints with a ring over them.
struct Hashed {
  explicit Hashed(size_t count, const PolicySpec& policy = {.policy = Policy::kHash})
      : spec(policy), peers(count), balancer(1) {
    const std::vector<std::string> names =
        Names(static_cast<int>(RingPicker::NodesFor(spec, count)));
    ring = std::make_shared<HashRing>(names);
    Reset();
  }
  void Reset() { balancer.Reset(spec, ring, peers.all(), TimePoint()); }
  PeerId Pick(std::string_view key, PickContext context = {}) {
    context.hash = Crc32(key);
    return balancer.Pick(context)->id;
  }
  std::vector<PeerId> PickForUsers(int count) {
    std::vector<PeerId> picked;
    for (int i = 0; i < count; ++i) picked.push_back(Pick("user" + std::to_string(i)));
    return picked;
  }

  PolicySpec spec;
  Peers peers;
  std::shared_ptr<const HashRing> ring;
  Balancer balancer;
};

constexpr size_t kUsers = 20'000;

TEST(Hash, MovesNoMoreThanItsShareWhenAnEndpointLeavesAndAllBackWhenItReturns) {
  for (const size_t count : {3u, 10u, 20u}) {
    Hashed hashed(count);
    const std::vector<PeerId> before = hashed.PickForUsers(kUsers);
    const double share = 1.0 / static_cast<double>(count);
    int moved_in_all = 0;
    for (PeerId leaving = 0; leaving < count; ++leaving) {
      hashed.peers[leaving].available = false;
      hashed.Reset();
      const std::vector<PeerId> without = hashed.PickForUsers(kUsers);
      int moved = 0;
      for (size_t i = 0; i < kUsers; ++i) {
        EXPECT_NE(without[i], leaving);
        if (before[i] == without[i]) continue;
        EXPECT_EQ(before[i], leaving) << "only keys of the one that left move";
        ++moved;
      }
      EXPECT_GT(moved, 0);
      // With 160 points the shares of few endpoints differ by more: that is the ring of
      // ingress-nginx.
      if (count >= 10) {
        EXPECT_LE(moved, kUsers * (share + 0.02)) << leaving << " of " << count;
      }
      moved_in_all += moved;
      hashed.peers[leaving].available = true;
      hashed.Reset();
      EXPECT_EQ(hashed.PickForUsers(kUsers), before);
    }
    EXPECT_LE(moved_in_all / static_cast<double>(count), kUsers * (share + 0.02)) << count;
  }
}

TEST(Hash, SpreadsKeysEvenlyEnough) {
  Hashed hashed(10);
  std::map<PeerId, int> counts;
  for (const PeerId id : hashed.PickForUsers(kUsers)) ++counts[id];
  for (PeerId id = 0; id < 10; ++id) EXPECT_NEAR(counts[id], kUsers / 10, kUsers / 10 * 0.35) << id;
}

TEST(Hash, GivesNewKeysToNoEndpointThatDrainsButKeepsSessionsThere) {
  Hashed hashed(3);
  const std::vector<PeerId> before = hashed.PickForUsers(100);
  hashed.peers[0].draining = true;
  hashed.Reset();
  for (int i = 0; i < 100; ++i) {
    const std::string user = "user" + std::to_string(i);
    EXPECT_NE(hashed.Pick(user), 0u);
    EXPECT_EQ(hashed.Pick(user, {.keeps_session = true}), before[i]);
  }
}

TEST(Hash, TriesTheNextOnTheRingAndEndsWithWhoeverThereIs) {
  Hashed hashed(3);
  std::vector<PeerId> tried = {hashed.Pick("a")};
  const PeerId second = hashed.Pick("a", {.tried = tried});
  EXPECT_NE(second, tried[0]);
  EXPECT_EQ(hashed.Pick("a", {.tried = tried}), second);
  tried.push_back(second);
  tried.push_back(hashed.Pick("a", {.tried = tried}));
  EXPECT_EQ(std::set<PeerId>(tried.begin(), tried.end()).size(), 3u);
  EXPECT_EQ(hashed.Pick("a", {.tried = tried}), tried[0]);
  for (size_t i = 0; i < 3; ++i) hashed.peers[i].available = false;
  hashed.Reset();
  EXPECT_EQ(hashed.Pick("a"), tried[0]);
}

TEST(Hash, StaysBelowTheBound) {
  Hashed hashed(4, {.policy = Policy::kHash, .bound_percent = 125});
  std::map<PeerId, int> counts;
  for (uint32_t i = 0; i < 1000; ++i) {
    const PeerId id = hashed.Pick("the same key for all", {.active_total = i});
    ++hashed.peers[id].active;
    ++counts[id];
    EXPECT_LE(hashed.peers[id].active, (i + 1) / 4.0 * 1.25 + 1) << i;
  }
  EXPECT_EQ(counts.size(), 4u);
}

TEST(HashSubset, KeepsToAFewEndpointsAndUsesThemAll) {
  Hashed hashed(10, {.policy = Policy::kHashSubset, .subset_size = 3});
  std::set<PeerId> seen;
  for (int i = 0; i < 200; ++i) seen.insert(hashed.Pick("alice"));
  EXPECT_EQ(seen.size(), 3u);
  std::set<PeerId> all;
  for (int i = 0; i < 2000; ++i) all.insert(hashed.Pick("user" + std::to_string(i)));
  EXPECT_EQ(all.size(), 10u);
}

TEST(HashSubset, FillsTheLastSubsetFromTheBeginning) {
  Hashed hashed(4, {.policy = Policy::kHashSubset, .subset_size = 3});
  std::set<std::set<PeerId>> subsets;
  for (int user = 0; user < 50; ++user) {
    std::set<PeerId> seen;
    for (int i = 0; i < 100; ++i) seen.insert(hashed.Pick("user" + std::to_string(user)));
    subsets.insert(seen);
  }
  EXPECT_EQ(subsets, (std::set<std::set<PeerId>>{{0, 1, 2}, {0, 1, 3}}));
}

}  // namespace
}  // namespace headgate::balance
