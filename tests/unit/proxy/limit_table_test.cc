#include "dataplane/proxy/limit_table.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace headgate::proxy {
namespace {

using policy::LimitKey;
using policy::RateLimits;

RateLimits PerSecond(uint32_t requests, uint32_t burst) {
  RateLimits limits;
  limits.second = RateLimits::PerSecond(requests, burst);
  return limits;
}

int Admitted(LimitTable& table, const RateLimits& limits, const LimitKey& key, int64_t now,
             int tries) {
  int admitted = 0;
  for (int i = 0; i < tries; ++i) admitted += table.AdmitRequest(limits, key, now) ? 1 : 0;
  return admitted;
}

TEST(RateLimitTest, AtRestAClientHasItsBurstAndOneMore) {
  LimitTable table(1);
  const RateLimits limits = PerSecond(10, 50);
  const LimitKey key = table.KeyOf("shop", "a");
  EXPECT_EQ(Admitted(table, limits, key, 1000, 100), 51);
  EXPECT_EQ(Admitted(table, limits, key, 1099, 10), 0);
  EXPECT_EQ(Admitted(table, limits, key, 1100, 10), 1) << "ten a second leak";
  EXPECT_EQ(Admitted(table, limits, key, 2100, 100), 10);
  EXPECT_EQ(Admitted(table, limits, key, 100'000, 100), 51) << "at rest again";
  EXPECT_EQ(Admitted(table, limits, key, 99'000, 100), 0) << "a clock that runs back gives nothing";
}

TEST(RateLimitTest, WhatIsRefusedIsNotCounted) {
  LimitTable table(1);
  const RateLimits limits = PerSecond(1, 0);
  const LimitKey key = table.KeyOf("shop", "a");
  EXPECT_EQ(Admitted(table, limits, key, 0, 10), 1);
  for (int64_t now = 100; now < 1000; now += 100)
    EXPECT_EQ(Admitted(table, limits, key, now, 1), 0);
  EXPECT_EQ(Admitted(table, limits, key, 1000, 2), 1);
}

TEST(RateLimitTest, DataPlanesShareWhatIsForAllOfThem) {
  LimitTable table(1);
  RateLimits limits = PerSecond(10, 50);
  limits.connections = 5;
  const RateLimits own = limits;
  limits.shared = true;
  table.SetDataPlanes(4);
  EXPECT_EQ(Admitted(table, limits, table.KeyOf("shop", "a"), 0, 100), 13)
      << "a quarter of the burst, and one";
  EXPECT_EQ(Admitted(table, own, table.KeyOf("own", "a"), 0, 100), 51) << "not for all";
  const ConnectionPermit first = table.AdmitConnection(limits, table.KeyOf("shop", "a"));
  EXPECT_TRUE(first.valid());
  EXPECT_FALSE(table.AdmitConnection(limits, table.KeyOf("shop", "a")).valid());

  table.SetDataPlanes(1000);
  const LimitKey key = table.KeyOf("shop", "b");
  EXPECT_EQ(Admitted(table, limits, key, 0, 100), 1) << "nobody is shut out";
  EXPECT_EQ(Admitted(table, limits, key, 1000, 100), 1);
  table.SetDataPlanes(0);
  EXPECT_EQ(Admitted(table, limits, table.KeyOf("shop", "c"), 0, 100), 51) << "not told";
}

TEST(RateLimitTest, BothRatesMustBeKept) {
  LimitTable table(1);
  RateLimits limits = PerSecond(10, 20);
  limits.minute = RateLimits::PerMinute(60, 5);
  const LimitKey key = table.KeyOf("shop", "a");
  EXPECT_EQ(Admitted(table, limits, key, 0, 100), 6);
  EXPECT_EQ(Admitted(table, limits, key, 1000, 100), 1);
  EXPECT_EQ(RateLimits::PerMinute(10, 0).per_second, 166) << "as NGINX rounds it";
}

TEST(RateLimitTest, ZonesAndClientsAreApart) {
  LimitTable table(1);
  const RateLimits limits = PerSecond(1, 1);
  for (const auto& [zone, client] :
       {std::pair("shop", "a"), {"shop", "b"}, {"blog", "a"}, {"shopa", ""}}) {
    EXPECT_EQ(Admitted(table, limits, table.KeyOf(zone, client), 0, 5), 2);
  }
  EXPECT_EQ(table.request_clients(), 4u);
}

TEST(RateLimitTest, CountsExactlyWhateverTheThread) {
  LimitTable table(1);
  const RateLimits limits = PerSecond(1, 999);
  const LimitKey key = table.KeyOf("shop", "a");
  std::atomic<int> admitted{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { admitted += Admitted(table, limits, key, 0, 1000); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(admitted, 1000);
}

TEST(RateLimitTest, ConnectionsCountUntilTheyEnd) {
  LimitTable table(1);
  RateLimits limits;
  limits.connections = 2;
  const LimitKey key = table.KeyOf("shop", "a");
  ConnectionPermit first = table.AdmitConnection(limits, key);
  {
    const ConnectionPermit second = table.AdmitConnection(limits, key);
    EXPECT_TRUE(second.valid());
    EXPECT_FALSE(table.AdmitConnection(limits, key).valid());
    EXPECT_TRUE(table.AdmitConnection(limits, table.KeyOf("shop", "b")).valid());
  }
  EXPECT_TRUE(table.AdmitConnection(limits, key).valid());
  first = ConnectionPermit();
  EXPECT_EQ(table.connection_clients(), 0u);
}

TEST(RateLimitTest, AFullTableForgetsTheOldestAndRefusesFurtherConnections) {
  LimitTable table(1, 64);  // one of each kind in each part
  const RateLimits limits = PerSecond(1, 0);
  for (int i = 0; i < 1000; ++i)
    EXPECT_TRUE(table.AdmitRequest(limits, table.KeyOf("z", std::to_string(i)), 0));
  EXPECT_LE(table.request_clients(), 64u);
  RateLimits connections;
  connections.connections = 1;
  std::vector<ConnectionPermit> permits;
  int refused = 0;
  for (int i = 0; i < 1000; ++i) {
    permits.push_back(table.AdmitConnection(connections, table.KeyOf("z", std::to_string(i))));
    refused += permits.back().valid() ? 0 : 1;
  }
  EXPECT_LE(table.connection_clients(), 64u);
  EXPECT_EQ(refused, 1000 - static_cast<int>(table.connection_clients()));
}

TEST(RateLimitTest, ClientsAtRestMakeRoom) {
  LimitTable table(1);
  const RateLimits limits = PerSecond(100, 0);
  for (int i = 0; i < 5000; ++i) {
    EXPECT_TRUE(table.AdmitRequest(limits, table.KeyOf("z", std::to_string(i)), i * 100));
  }
  EXPECT_LT(table.request_clients(), 200u);
}

}  // namespace
}  // namespace headgate::proxy
