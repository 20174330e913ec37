// No request reaches an upstream with a path outside the prefix that it was matched on, whichever
// way the upstream reads paths.

#include "tests/support/path_readers.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "dataplane/base/arena.h"
#include "dataplane/http/uri.h"
#include "tests/support/route_reference.h"

namespace headgate::route {
namespace {

using headgate::testing::AllPathReaders;
using headgate::testing::BuildTable;
using headgate::testing::DecodePercent;
using headgate::testing::IsBelow;
using headgate::testing::PathReader;
using headgate::testing::ReadPath;
using headgate::testing::ReferenceRoute;
using headgate::testing::TableMatch;

// What attacks are made of.
std::string RandomPath(std::mt19937& random) {
  static constexpr std::string_view kPieces[] = {
      "/",      "/",   "a",         "b",        "/a",        "/b",    "..",  "/..",    "/../",
      ".",      "/./", "//",        ";",        "..;",       ";x=1",  "%2e", "%2E%2e", "%2f",
      "%5c",    "\\",  "%252e",     "%25",      "%32%65",    "%252f", "%3b", "%253b",  "%c0%ae",
      "%c0%af", "%00", "%25%32%65", "\xc0\xae", "%e0%80%ae", "%2",    "?"};
  std::string path = "/";
  for (size_t i = random() % 9; i > 0; --i) path += kPieces[random() % std::size(kPieces)];
  return path.substr(0, path.find('?'));
}

struct Site {
  std::vector<ReferenceRoute> routes;
  std::vector<config::CompiledRoute> targets;
  RouteTable table;
};

Site MakeSite() {
  Site site;
  for (const char* prefix : {"/", "/a", "/a/b", "/b", "/b/a/b"}) {
    site.routes.push_back({.kind = PathKind::kPrefix, .path = prefix, .method = {}, .header = {}});
  }
  site.table = BuildTable(site.routes, site.targets);
  return site;
}

std::string PrefixOf(const Site& site, std::string_view path) {
  const int index = TableMatch(site.table, site.targets, path, "GET", "");
  return index < 0 ? "" : site.routes[static_cast<size_t>(index)].path;
}

TEST(PathReaders, NoneLeavesThePrefixThatWasMatched) {
  const Site site = MakeSite();
  const std::vector<PathReader> readers = AllPathReaders();
  base::BlockPool pool;
  std::mt19937 random(20261127);
  int accepted = 0, rewritten = 0, below = 0;
  for (int round = 0; round < 60'000; ++round) {
    const std::string raw = RandomPath(random);
    base::Arena arena(pool);
    http::NormalPath normal;
    if (!http::NormalizePath(raw, arena, normal)) continue;
    ++accepted;
    rewritten += normal.rewritten;
    const std::string prefix = PrefixOf(site, normal.match);
    below += prefix.size() > 1;
    for (const PathReader& reader : readers) {
      const std::string seen = ReadPath(reader, std::string(normal.forward));
      ASSERT_TRUE(IsBelow(seen, prefix)) << raw << " matched " << prefix << ", was sent as "
                                         << normal.forward << ", and somebody reads " << seen;
    }
    // What is sent would be matched in the same way again, and sent unchanged.
    http::NormalPath again;
    ASSERT_TRUE(http::NormalizePath(normal.forward, arena, again)) << raw;
    ASSERT_EQ(again.match, normal.match) << raw;
    ASSERT_FALSE(again.rewritten) << raw;
  }
  EXPECT_GT(accepted, 5'000) << "too few paths are accepted: this test shows little";
  EXPECT_GT(rewritten, 1'000);
  EXPECT_GT(below, 1'000);
}

// The same paths without our care: each kind of reader that does more than decode once is led
// astray by some.
TEST(PathReaders, EachWouldBeLedAstrayByARawPath) {
  const Site site = MakeSite();
  std::mt19937 random(20261127);
  const std::vector<PathReader> readers = AllPathReaders();
  std::vector<int> astray(readers.size());
  for (int round = 0; round < 20'000; ++round) {
    const std::string raw = RandomPath(random);
    const std::string prefix = PrefixOf(site, DecodePercent(raw));
    for (size_t i = 0; i < readers.size(); ++i)
      astray[i] += !IsBelow(ReadPath(readers[i], raw), prefix);
  }
  for (size_t i = 0; i < readers.size(); ++i) EXPECT_GT(astray[i], 0) << i;
}

}  // namespace
}  // namespace headgate::route
