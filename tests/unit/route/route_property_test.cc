#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/support/route_reference.h"

namespace headgate::route {
namespace {

using headgate::testing::BuildTable;
using headgate::testing::ReferenceMatch;
using headgate::testing::ReferenceRoute;
using headgate::testing::TableMatch;

// Short paths over few letters, so that they meet: prefixes of each other, with and without the
// slash at the end, and with bytes that sort before and after '/'.
std::string RandomPath(std::mt19937& random) {
  static constexpr std::string_view kLetters = "//ab-A0\xff";
  std::string path = "/";
  for (size_t i = random() % 7; i > 0; --i) path += kLetters[random() % kLetters.size()];
  return path;
}

ReferenceRoute RandomRoute(std::mt19937& random) {
  ReferenceRoute route;
  route.kind = std::vector{PathKind::kExact, PathKind::kPrefix, PathKind::kPrefix,
                           PathKind::kRegex}[random() % 4];
  route.path = RandomPath(random);
  if (random() % 4 == 0) route.method = random() % 2 ? "GET" : "POST";
  if (random() % 4 == 0) route.header = random() % 2 ? "x-a" : "x-b";
  return route;
}

TEST(RouteProperty, TheTableAgreesWithTheSlowReference) {
  std::mt19937 random(20261123);
  int matched = 0;
  for (int round = 0; round < 400; ++round) {
    std::vector<ReferenceRoute> routes;
    for (size_t i = random() % 30; i > 0; --i) routes.push_back(RandomRoute(random));
    std::vector<config::CompiledRoute> targets;
    const RouteTable table = BuildTable(routes, targets);
    EXPECT_EQ(table.route_count(), routes.size());
    for (int i = 0; i < 100; ++i) {
      const std::string path = RandomPath(random);
      const std::string method = random() % 2 ? "GET" : "POST";
      const std::string header = random() % 2 ? "x-a" : "";
      const int expected = ReferenceMatch(routes, path, method, header);
      ASSERT_EQ(TableMatch(table, targets, path, method, header), expected)
          << "round " << round << ", " << method << " " << path;
      matched += expected >= 0;
    }
  }
  EXPECT_GT(matched, 10'000) << "too few requests find a route: this test shows little";
}

TEST(RouteProperty, ManyRoutesOfOneHost) {
  std::mt19937 random(7);
  std::vector<ReferenceRoute> routes;
  for (int i = 0; i < 3000; ++i) {
    ReferenceRoute route = RandomRoute(random);
    if (route.kind == PathKind::kRegex) route.kind = PathKind::kExact;
    route.path += RandomPath(random) + std::to_string(random() % 50);
    routes.push_back(route);
  }
  std::vector<config::CompiledRoute> targets;
  const RouteTable table = BuildTable(routes, targets);
  for (int i = 0; i < 2000; ++i) {
    const std::string path =
        routes[random() % routes.size()].path + (random() % 2 ? RandomPath(random) : "");
    ASSERT_EQ(TableMatch(table, targets, path, "GET", ""), ReferenceMatch(routes, path, "GET", ""))
        << path;
  }
}

}  // namespace
}  // namespace headgate::route
