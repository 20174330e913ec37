#include "dataplane/observe/route_stats.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <numeric>
#include <span>

namespace headgate::observe {
namespace {

RequestRecord Record(std::string_view host, std::string_view path, uint16_t status,
                     int milliseconds = 1) {
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

RouteDetails DetailsOf(const RouteStats& stats) {
  RouteDetails sum;
  stats.ForEach([&](const RouteStats::Route& route) { sum.Add(route.details()); });
  return sum;
}

uint64_t Sum(std::span<const uint64_t> buckets) {
  return std::accumulate(buckets.begin(), buckets.end(), uint64_t{0});
}

TEST(RouteStatsTest, DetailsAreKeptWhereTheyAreWanted) {
  RouteStats without;
  RouteStats with(100, true);
  RequestRecord record = Record("a", "/", 200);
  record.request_bytes = 101;
  record.attempt_count = 2;
  record.attempt_storage[0].connect_time = std::chrono::milliseconds(900);
  record.attempt_storage[1].connect_time = std::chrono::milliseconds(3);
  record.attempt_storage[1].header_time = std::chrono::milliseconds(40);
  record.attempt_storage[1].response_time = std::chrono::milliseconds(2'000);
  without.Count(record);
  with.Count(record);
  EXPECT_EQ(Sum(DetailsOf(without).request_length.buckets), 0u);

  const RouteDetails details = DetailsOf(with);
  EXPECT_EQ(details.connect_time.buckets[0], 1u);  // of the last attempt
  EXPECT_EQ(details.connect_time.sum, 3'000u);
  EXPECT_EQ(details.header_time.buckets[3], 1u);
  EXPECT_EQ(details.header_time.sum, 40'000u);
  EXPECT_EQ(details.response_time.buckets[8], 1u);
  EXPECT_EQ(details.response_time.sum, 2'000'000u);
  EXPECT_EQ(details.request_length.buckets.back(), 1u);
  EXPECT_EQ(details.request_length.sum, 101u);
  EXPECT_EQ(details.response_length.buckets[0], 1u);
}

TEST(RouteStatsTest, CountsOfManyRequestsAreStillRight) {
  RouteStats stats(100, true);
  RequestRecord record = Record("a", "/", 200);
  record.request_bytes = 50;
  record.response_body_bytes = 1'000;
  record.attempt_count = 1;
  record.attempt_storage[0].header_time = record.attempt_storage[0].response_time =
      std::chrono::milliseconds(1);
  constexpr uint64_t kMany = 200'000;  // more than 16 bits hold
  for (uint64_t i = 1; i <= kMany; ++i) {
    stats.Count(record);
    if (i % 32'767 != 0 && i != kMany) continue;
    const RouteDetails details = DetailsOf(stats);
    EXPECT_EQ(details.request_length.buckets[4], i);
    EXPECT_EQ(details.request_length.sum, 50 * i);
    EXPECT_EQ(details.response_size.buckets[2], i);
    EXPECT_EQ(details.response_time.buckets[0], i);
    EXPECT_EQ(details.connect_time.buckets[0], i);
    EXPECT_EQ(details.header_time.sum, 1'000 * i);
    stats.ForEach([&](const RouteStats::Route& route) {
      EXPECT_EQ(route.counters().by_class[2], i);
      EXPECT_EQ(route.counters().count(), i);
      EXPECT_EQ(Sum(route.counters().duration_buckets), i);
    });
  }
}

TEST(RouteStatsTest, WhatAnUpstreamDidNotDoIsNotCounted) {
  RouteStats stats(100, true);
  stats.Count(Record("a", "/", 301));
  EXPECT_EQ(Sum(DetailsOf(stats).response_time.buckets), 0u);
  EXPECT_EQ(Sum(DetailsOf(stats).request_length.buckets), 1u);

  RequestRecord refused = Record("a", "/", 502);
  refused.attempt_count = 1;
  refused.attempt_storage[0] = {};
  stats.Count(refused);
  EXPECT_EQ(Sum(DetailsOf(stats).response_time.buckets), 1u);
  EXPECT_EQ(Sum(DetailsOf(stats).header_time.buckets), 0u);
  EXPECT_EQ(Sum(DetailsOf(stats).connect_time.buckets), 0u);

  RequestRecord reused = Record("a", "/", 200);
  reused.attempt_count = 1;
  reused.attempt_storage[0].header_time = std::chrono::milliseconds(1);
  stats.Count(reused);
  EXPECT_EQ(DetailsOf(stats).connect_time.buckets[0], 1u);
  EXPECT_EQ(DetailsOf(stats).connect_time.sum, 0u);
}

TEST(RouteStatsTest, SizesFallIntoTheBucketsOfBothHistograms) {
  struct Case {
    uint64_t bytes;
    size_t length;
    size_t size;
  };
  for (const Case& c :
       {Case{0, 0, 0}, Case{10, 0, 0}, Case{11, 1, 1}, Case{20, 1, 1}, Case{100, 9, 1},
        Case{101, 10, 2}, Case{1'000, 10, 2}, Case{1'001, 10, 3}, Case{10'000, 10, 3},
        Case{10'000'000, 10, 6}, Case{10'000'001, 10, 7}, Case{uint64_t{1} << 60, 10, 7}}) {
    RouteStats stats(100, true);
    RequestRecord record = Record("a", "/", 200);
    record.request_bytes = record.response_body_bytes = c.bytes;
    stats.Count(record);
    const RouteDetails details = DetailsOf(stats);
    EXPECT_EQ(details.request_length.buckets[c.length], 1u) << c.bytes;
    EXPECT_EQ(details.response_length.buckets[c.length], 1u) << c.bytes;
    EXPECT_EQ(details.response_size.buckets[c.size], 1u) << c.bytes;
    EXPECT_EQ(details.response_size.sum, c.bytes);
    EXPECT_EQ(Sum(details.response_size.buckets), 1u) << c.bytes;
    EXPECT_EQ(Sum(details.response_length.buckets), 1u) << c.bytes;
  }
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
