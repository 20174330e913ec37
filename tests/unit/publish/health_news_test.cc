#include "controller/publish/health_news.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace headgate::publish {
namespace {

constexpr absl::Duration kStart = absl::Seconds(1000);

SubscriberStatus Report(
    const std::vector<std::pair<std::string, std::vector<std::string>>>& unhealthy) {
  SubscriberStatus status;
  for (const auto& [name, endpoints] : unhealthy) {
    v1::UpstreamHealth& upstream = *status.health.add_upstreams();
    upstream.set_name(name);
    upstream.set_healthy(3);
    upstream.set_unhealthy(static_cast<uint32_t>(endpoints.size()));
    for (const std::string& endpoint : endpoints) upstream.add_unhealthy_endpoints(endpoint);
  }
  return status;
}

TEST(HealthDigestTest, TellsOfUnhealthyEndpointsOnceAndOfTheirReturn) {
  HealthDigest digest;
  const auto sick = Report({{"endpoints/shop/web/80", {"10.0.0.1:8080"}}});
  const auto news = digest.Update({sick}, kStart);
  ASSERT_EQ(news.size(), 1u);
  EXPECT_EQ(news[0].ns, "shop");
  EXPECT_EQ(news[0].service, "web");
  EXPECT_TRUE(news[0].unhealthy);
  EXPECT_EQ(news[0].message, "1 of 4 endpoints of port 80 fail their health check: 10.0.0.1:8080");
  EXPECT_TRUE(digest.Update({sick}, kStart + absl::Hours(1)).empty());
  const auto good = digest.Update({Report({})}, kStart + absl::Hours(2));
  ASSERT_EQ(good.size(), 1u);
  EXPECT_FALSE(good[0].unhealthy);
  EXPECT_EQ(good[0].message, "no endpoint of port 80 fails its health check any more");
}

TEST(HealthDigestTest, AServiceIsSpokenOfOnceAMinuteAndThenAsItIsThen) {
  HealthDigest digest;
  EXPECT_EQ(digest.Update({Report({{"endpoints/n/s/80", {"10.0.0.1:80"}}})}, kStart).size(), 1u);
  EXPECT_EQ(digest.next(), absl::InfiniteDuration());
  EXPECT_TRUE(digest
                  .Update({Report({{"endpoints/n/s/80", {"10.0.0.1:80", "[fd00::1]:80"}}})},
                          kStart + absl::Seconds(1))
                  .empty());
  EXPECT_EQ(digest.next(), kStart + HealthDigest::kQuiet);
  EXPECT_TRUE(digest.Update({Report({})}, kStart + absl::Seconds(2)).empty());
  EXPECT_EQ(digest.next(), kStart + HealthDigest::kQuiet);
  const auto news = digest.Update({Report({})}, kStart + HealthDigest::kQuiet);
  ASSERT_EQ(news.size(), 1u);
  EXPECT_FALSE(news[0].unhealthy);
}

TEST(HealthDigestTest, ThereAreOnlySoManyNewsInAMinute) {
  HealthDigest digest;
  std::vector<std::pair<std::string, std::vector<std::string>>> many;
  for (size_t i = 0; i < HealthDigest::kMost + 5; ++i)
    many.push_back({"endpoints/n/s" + std::to_string(i) + "/80", {"10.0.0.1:80"}});
  EXPECT_EQ(digest.Update({Report(many)}, kStart).size(), HealthDigest::kMost);
  EXPECT_EQ(digest.next(), kStart + HealthDigest::kQuiet);
  EXPECT_EQ(digest.Update({Report(many)}, digest.next()).size(), 5u);
  EXPECT_EQ(digest.next(), absl::InfiniteDuration());
}

TEST(HealthDigestTest, TheWorstOfAllDataPlanesCounts) {
  HealthDigest digest;
  const auto news =
      digest.Update({Report({{"endpoints/n/s/http", {"10.0.0.1:80"}}}),
                     Report({{"endpoints/n/s/http", {"10.0.0.1:80", "[fd00::1]:80"}}}), Report({})},
                    kStart);
  ASSERT_EQ(news.size(), 1u);
  EXPECT_EQ(news[0].message,
            "2 of 5 endpoints of port http fail their health check: 10.0.0.1:80, [fd00::1]:80");
}

TEST(HealthDigestTest, LongListsAreCut) {
  HealthDigest digest;
  const auto news = digest.Update(
      {Report({{"endpoints/n/s/80", {"a:1", "b:1", "c:1", "d:1", "e:1", "f:1"}}})}, kStart);
  ASSERT_EQ(news.size(), 1u);
  EXPECT_EQ(news[0].message,
            "6 of 9 endpoints of port 80 fail their health check: a:1, b:1, c:1, d:1, e:1, ...");
}

TEST(HealthDigestTest, WithoutDataPlanesNothingIsKnown) {
  HealthDigest digest;
  EXPECT_EQ(digest.Update({Report({{"endpoints/n/s/80", {"10.0.0.1:80"}}})}, kStart).size(), 1u);
  EXPECT_TRUE(digest.Update({}, kStart + absl::Hours(1)).empty());
  EXPECT_EQ(digest.Update({Report({})}, kStart + absl::Hours(2)).size(), 1u);
}

TEST(HealthDigestTest, WhatBelongsToNoServiceIsNotTold) {
  HealthDigest digest;
  EXPECT_TRUE(digest
                  .Update({Report({{"example.com:80", {"10.0.0.1:80"}},
                                   {"endpoints/odd", {"10.0.0.1:80"}},
                                   {"10.0.0.1:80", {"10.0.0.1:80"}}})},
                          kStart)
                  .empty());
}

// A data plane that has been taken over must not choose what the API server is asked, nor what
// people read.
TEST(HealthDigestTest, WhatNoHonestDataPlaneSaysIsNotPassedOn) {
  HealthDigest digest;
  for (const char* name :
       {"endpoints/../s/80", "endpoints/n/s%2f..%2f/80", "endpoints/n/s?x=/80", "endpoints/N/s/80",
        "endpoints//s/80", "endpoints/n/s/80/x", "endpoints/n/s/80 and all is well"}) {
    EXPECT_TRUE(digest.Update({Report({{name, {"10.0.0.1:80"}}})}, kStart).empty()) << name;
  }
  const auto news =
      digest.Update({Report({{"endpoints/n/s/80", {"see http://evil.example"}}})}, kStart);
  ASSERT_EQ(news.size(), 1u);
  EXPECT_EQ(news[0].message, "1 of 4 endpoints of port 80 fail their health check: ...");
}

TEST(HealthDigestTest, NamesWithoutEndAreNotKeptInMind) {
  HealthDigest digest;
  std::vector<std::pair<std::string, std::vector<std::string>>> many;
  for (size_t i = 0; i <= HealthDigest::kMostKnown; ++i)
    many.push_back({"x" + std::to_string(i), {"10.0.0.1:80"}});
  EXPECT_TRUE(digest.Update({Report(many)}, kStart).empty());
  EXPECT_TRUE(
      digest.Update({Report({{"endpoints/n/s/80", {"10.0.0.1:80"}}})}, kStart).empty());  // no room
  EXPECT_EQ(digest.Update({Report({{"endpoints/n/s/80", {"10.0.0.1:80"}}})}, kStart).size(), 1u);
}

}  // namespace
}  // namespace headgate::publish
