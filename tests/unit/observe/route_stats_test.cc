#include <cstdint>

#include "dataplane/observe/route_stats.h"

#include <gtest/gtest.h>

namespace headgate::observe {
namespace {

RequestRecord Record(std::string_view host, std::string_view path, uint16_t status, int milliseconds = 1) {
  RequestRecord record;
  record.virtual_host = host;
  record.route_path = path;
  record.status = status;
  record.duration = std::chrono::milliseconds(milliseconds);
  record.response_body_bytes = 10;
  return record;
}

RouteCounters Of(const RouteStats& stats, std::string_view host, std::string_view path = "") {
  RouteCounters found;
  stats.ForEach([&](const RouteStats::Route& route) {
    const RouteLabels labels = route.labels();
    if (labels.host == host && labels.path == path) found.Add(route.counters());
  });
  return found;
}

TEST(RouteStatsTest, CountsByRouteAndStatusClass) {
  RouteStats stats;
  stats.Count(Record("a.example", "/", 200));
  stats.Count(Record("a.example", "/", 204));
  stats.Count(Record("a.example", "/", 502));
  stats.Count(Record("a.example", "/other", 200));
  const RouteCounters counters = Of(stats, "a.example", "/");
  EXPECT_EQ(counters.by_class[2], 2u);
  EXPECT_EQ(counters.by_class[5], 1u);
  EXPECT_EQ(counters.response_bytes, 30u);
  EXPECT_EQ(Of(stats, "a.example", "/other").by_class[2], 1u);
}

TEST(RouteStatsTest, RequestsWithoutARouteAndOddStatusesAreCounted) {
  RouteStats stats;
  stats.Count(Record("", "", 404));
  stats.Count(Record("", "", 0));
  EXPECT_EQ(Of(stats, "_").by_class[4], 1u);
  EXPECT_EQ(Of(stats, "_").by_class[0], 1u);
}

TEST(RouteStatsTest, DurationsFallIntoBuckets) {
  RouteStats stats;
  stats.Count(Record("a", "/", 200, 5));
  stats.Count(Record("a", "/", 200, 6));
  stats.Count(Record("a", "/", 200, 60'000));
  const RouteCounters counters = Of(stats, "a", "/");
  EXPECT_EQ(counters.duration_buckets[0], 1u);
  EXPECT_EQ(counters.duration_buckets[1], 1u);
  EXPECT_EQ(counters.duration_buckets.back(), 1u);
  EXPECT_NEAR(counters.duration_seconds, 60.011, 1e-9);
}

RequestRecord RecordOf(uint64_t id, std::string_view host) {
  RequestRecord record = Record(host, "/", 200);
  record.route_id = id;
  return record;
}

TEST(RouteStatsTest, RoutesAreKnownByTheirIds) {
  RouteStats stats;
  for (int round = 0; round < 2; ++round) {
    for (uint64_t id = 1; id <= 500; ++id) stats.Count(RecordOf(id, "h" + std::to_string(id)));
  }
  for (const uint64_t id : {1, 64, 65, 500}) {
    EXPECT_EQ(Of(stats, "h" + std::to_string(id), "/").by_class[2], 2u) << id;
  }
  // The same labels under another id, as after a change of the host's configuration.
  stats.Count(RecordOf(1000, "h1"));
  EXPECT_EQ(Of(stats, "h1", "/").by_class[2], 3u);
  size_t routes = 0;
  stats.ForEach([&](const RouteStats::Route&) { ++routes; });
  EXPECT_EQ(routes, 500u);
}

TEST(RouteStatsTest, BeyondTheBudgetEverythingIsOther) {
  RouteStats stats(2);
  for (const char* host : {"a", "b", "c", "d"}) stats.Count(Record(host, "/", 200));
  EXPECT_EQ(Of(stats, "other").by_class[2], 2u);
  size_t routes = 0;
  stats.ForEach([&](const RouteStats::Route&) { ++routes; });
  EXPECT_EQ(routes, 3u);
}

}  // namespace
}  // namespace headgate::observe
