#include "dataplane/base/host_map.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

namespace headgate::base {
namespace {

struct Site {
  std::string name;
  int value = 0;
  std::string_view host() const { return name; }
};
using Map = HostMap<Site>;

Map Build(const std::vector<std::string>& hosts) {
  Map::Edit edit{Map()};
  int value = 0;
  for (const std::string& host : hosts) edit.Set(std::make_shared<Site>(Site{host, ++value}));
  return std::move(edit).Finish();
}

std::string Found(const Map& map, std::string_view host) {
  const Site* site = map.Find(host);
  return site ? site->name : "nothing";
}

TEST(HostMap, PrefersExactThenWildcardThenCatchAll) {
  const Map map = Build({"a.example.com", "*.example.com", "_", "example.com"});
  EXPECT_EQ(map.size(), 4u);
  EXPECT_EQ(Found(map, "a.example.com"), "a.example.com");
  EXPECT_EQ(Found(map, "b.example.com"), "*.example.com");
  EXPECT_EQ(Found(map, "example.com"), "example.com");
  EXPECT_EQ(Found(map, "other.org"), "_");
  EXPECT_EQ(Found(map, ""), "_");
}

TEST(HostMap, WildcardStandsForExactlyOneLabel) {
  const Map map = Build({"*.example.com"});
  EXPECT_EQ(Found(map, "x.example.com"), "*.example.com");
  EXPECT_EQ(Found(map, "x.y.example.com"), "nothing");
  EXPECT_EQ(Found(map, "example.com"), "nothing");
  EXPECT_EQ(Found(map, ".example.com"), "nothing");
  EXPECT_EQ(Found(map, "xexample.com"), "nothing");
}

TEST(HostMap, PatternsCannotBeAskedForAsHosts) {
  const Map map = Build({"*.example.com", "_"});
  EXPECT_EQ(Found(map, "_"), "_");
  EXPECT_EQ(map.FindPattern("x.example.com"), nullptr);
  EXPECT_NE(map.FindPattern("*.example.com"), nullptr);
  EXPECT_NE(map.FindPattern("_"), nullptr);
}

TEST(HostMap, AnEditLeavesTheOldMapAlone) {
  const Map old = Build({"a.com", "b.com", "_"});
  Map::Edit edit(old);
  edit.Remove("a.com");
  edit.Remove("_");
  edit.Remove("never.there");
  edit.Set(std::make_shared<Site>(Site{"b.com", 42}));
  edit.Set(std::make_shared<Site>(Site{"c.com", 43}));
  const Map changed = std::move(edit).Finish();
  EXPECT_EQ(old.size(), 3u);
  EXPECT_EQ(Found(old, "a.com"), "a.com");
  EXPECT_EQ(old.Find("b.com")->value, 2);
  EXPECT_EQ(changed.size(), 2u);
  EXPECT_EQ(Found(changed, "a.com"), "nothing");
  EXPECT_EQ(changed.Find("b.com")->value, 42);
}

TEST(HostMap, SharesWhatAnEditDoesNotTouch) {
  std::vector<std::string> hosts;
  for (int i = 0; i < 10'000; ++i) hosts.push_back("h" + std::to_string(i) + ".example.com");
  const Map old = Build(hosts);
  Map::Edit edit(old);
  edit.Set(std::make_shared<Site>(Site{"h77.example.com", -1}));
  const Map changed = std::move(edit).Finish();
  // An item that lies in a shared shard is counted once for both maps, in a copied shard twice.
  int copied = 0;
  for (const std::string& host : hosts) copied += changed.FindPattern(host)->use_count() > 1;
  EXPECT_GT(copied, 0);
  EXPECT_LT(copied, 200);
}

TEST(HostMap, AgreesWithAPlainMapUnderRandomEdits) {
  std::mt19937 random(5);
  std::map<std::string, int> plain;
  Map map;
  for (int round = 0; round < 300; ++round) {
    Map::Edit edit(map);
    for (int i = 0; i < 5; ++i) {
      const int n = static_cast<int>(random() % 400);
      const std::string host =
          n == 0 ? "_" : (n % 3 == 0 ? "*.d" : "x.d") + std::to_string(n) + ".com";
      if (random() % 3 == 0) {
        edit.Remove(host);
        plain.erase(host);
      } else {
        edit.Set(std::make_shared<Site>(Site{host, round}));
        plain[host] = round;
      }
    }
    map = std::move(edit).Finish();
    ASSERT_EQ(map.size(), plain.size());
  }
  size_t visited = 0;
  map.ForEach([&](const Site& site) {
    ++visited;
    EXPECT_EQ(plain.at(site.name), site.value);
  });
  EXPECT_EQ(visited, plain.size());
}

}  // namespace
}  // namespace headgate::base
