// Limits of what is used of an upstream at once, and the requests that wait for room.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "dataplane/admin/limit_metrics.h"
#include "tests/support/dataplane/http2_peer.h"
#include "tests/support/dataplane/peer.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::test {
namespace {

constexpr char kCluster[] = "cluster/test/a.example/80";

std::string Get(std::string_view path, std::string_view fields = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a.example\r\n" + std::string(fields) +
         "\r\n";
}

class UpstreamLimitsTest : public ::testing::Test {
 protected:
  explicit UpstreamLimitsTest(int workers = 1) : proxy(workers) {}

  // `limits`: fields of UpstreamLimits, `cluster`: further ones of the Cluster, `route`: of the
  // route; in text format.
  void Serve(const std::string& limits, const std::string& route = "",
             const std::string& cluster = "") {
    std::vector<base::Address> addresses;
    for (const PeerListener* each : listeners) addresses.push_back(each->address());
    proxy.Route("a.example", addresses, route);
    SetLimits(limits, cluster);
  }
  void SetLimits(const std::string& limits, const std::string& cluster = "") {
    const auto refused =
        proxy.Apply({std::string("name: \"") + kCluster +
                     "\" cluster { endpoints: \"endpoints/test/a.example/80\" " +
                     (limits.empty() ? "" : "limits { " + limits + " } ") + cluster + " }"});
    for (const auto& refusal : refused) ADD_FAILURE() << refusal.reason;
  }

  const config::ClusterLimits& limits() { return *proxy.builder().FindCluster(kCluster)->limits; }
  // False after ten seconds.
  static bool Await(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::yield();
    }
    return true;
  }
  bool AwaitPending(uint32_t count) {
    return Await([&] { return limits().usage->pending.value() == count; });
  }
  // A client with a request under way, and the server that has it.
  struct Pair {
    Peer client;
    Peer server;
  };
  Pair Begin(std::string_view path = "/first") {
    Pair pair{.client = proxy.Connect(), .server = {}};
    pair.client.Send(Get(path));
    pair.server = listener.Accept();
    pair.server.ReadRequest();
    return pair;
  }
  Peer Ask(const std::string& request) {
    Peer client = proxy.Connect();
    client.Send(request);
    return client;
  }
  static void Reply(Peer& server) { server.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"); }

  TestProxy proxy;
  PeerListener listener;
  PeerListener other;
  std::vector<PeerListener*> listeners = {&listener};
};

TEST_F(UpstreamLimitsTest, ARequestWaitsForAConnectionAndThenHasIt) {
  Serve("max_connections: 1");
  Pair first = Begin();
  Peer second = Ask(Get("/second"));
  ASSERT_TRUE(AwaitPending(1));
  EXPECT_EQ(limits().usage->connections.value(), 1u);
  Reply(first.server);
  EXPECT_EQ(first.client.ReadResponse().status, 200);
  EXPECT_EQ(first.server.ReadRequest().head.substr(0, 11),
            "GET /second");  // on the connection that is free now
  Reply(first.server);
  EXPECT_EQ(second.ReadResponse().body, "ok");
  EXPECT_TRUE(Await([&] { return limits().usage->connections.value() == 0; }));
  EXPECT_EQ(limits().usage->pending.value(), 0u);
}

TEST_F(UpstreamLimitsTest, ThoseWhoWaitAreServedInOrder) {
  Serve("max_connections: 1");
  Pair first = Begin();
  std::vector<Peer> clients;
  for (uint32_t i = 0; i < 4; ++i) {
    clients.push_back(Ask(Get("/" + std::to_string(i))));
    ASSERT_TRUE(AwaitPending(i + 1));
  }
  for (int i = 0; i < 4; ++i) {
    Reply(first.server);
    const std::string head = first.server.ReadRequest().head;
    EXPECT_EQ(head.substr(0, 6), "GET /" + std::to_string(i));
  }
  Reply(first.server);
  for (Peer& client : clients) EXPECT_EQ(client.ReadResponse().status, 200);
}

TEST_F(UpstreamLimitsTest, WhoFindsNoRoomToWaitInIsToldToComeLater) {
  Serve("max_connections: 1 max_pending_requests: 1");
  Pair first = Begin();
  Peer second = Ask(Get("/second"));
  ASSERT_TRUE(AwaitPending(1));
  EXPECT_TRUE(limits().open());
  const Peer::Message refused = Ask(Get("/third")).ReadResponse();
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.Field("Retry-After"), "1");
  const Peer::Message grpc =
      Ask("POST /s/m HTTP/1.1\r\nHost: a.example\r\nContent-Type: application/grpc\r\n"
          "Content-Length: 0\r\n\r\n")
          .ReadResponse();
  EXPECT_EQ(grpc.status, 200);
  EXPECT_EQ(grpc.Field("grpc-status"), "14");  // UNAVAILABLE
  EXPECT_EQ(limits().usage->rejected.load(), 2u);
  Reply(first.server);
  first.server.ReadRequest();
  Reply(first.server);
  EXPECT_EQ(second.ReadResponse().status, 200);
  EXPECT_FALSE(limits().open());
}

TEST_F(UpstreamLimitsTest, NobodyWaitsWhereNoneMay) {
  Serve("max_connections: 1 max_pending_requests: 0");
  EXPECT_FALSE(limits().open());
  Pair first = Begin();
  EXPECT_TRUE(limits().open());
  EXPECT_EQ(Ask(Get("/second")).ReadResponse().status, 503);
  Reply(first.server);
  EXPECT_EQ(first.client.ReadResponse().status, 200);
  ASSERT_TRUE(Await([&] { return limits().usage->connections.value() == 0; }));
  Peer third = Ask(Get("/third"));
  first.server.ReadRequest();
  Reply(first.server);
  EXPECT_EQ(third.ReadResponse().status, 200);
}

TEST_F(UpstreamLimitsTest, WaitingEndsWithTheTimeLimitForConnections) {
  Serve("max_connections: 1", "policy { connect_timeout { nanos: 50000000 } }");
  Pair first = Begin();
  const Peer::Message late = Ask(Get("/second")).ReadResponse();
  EXPECT_EQ(late.status, 503);
  EXPECT_EQ(late.Field("Retry-After"), "1");
  EXPECT_EQ(limits().usage->pending.value(), 0u);
  EXPECT_EQ(limits().usage->rejected.load(), 1u);
  Reply(first.server);
  EXPECT_EQ(first.client.ReadResponse().status, 200);
}

TEST_F(UpstreamLimitsTest, AClientThatGoesGivesUpItsPlace) {
  Serve("max_connections: 1");
  Pair first = Begin();
  Peer second = Ask(Get("/second"));
  ASSERT_TRUE(AwaitPending(1));
  Peer third = Ask(Get("/third"));
  ASSERT_TRUE(AwaitPending(2));
  second.Abort();
  ASSERT_TRUE(AwaitPending(1));
  Reply(first.server);
  EXPECT_EQ(first.server.ReadRequest().head.substr(0, 10), "GET /third");
  Reply(first.server);
  EXPECT_EQ(third.ReadResponse().status, 200);
}

TEST_F(UpstreamLimitsTest, AConnectionThatBreaksMakesRoom) {
  Serve("max_connections: 1", "policy { next_upstream { conditions { } } }");
  Pair first = Begin();
  Peer second = Ask(Get("/second"));
  ASSERT_TRUE(AwaitPending(1));
  first.server.Abort();
  EXPECT_EQ(first.client.ReadResponse().status, 502);
  Peer server = listener.Accept();
  server.ReadRequest();
  Reply(server);
  EXPECT_EQ(second.ReadResponse().status, 200);
}

TEST_F(UpstreamLimitsTest, AChangeOfLimitsIsSeenByThoseWhoWait) {
  Serve("max_connections: 1");
  Pair first = Begin();
  Peer second = Ask(Get("/second"));
  ASSERT_TRUE(AwaitPending(1));
  SetLimits("max_connections: 2");
  Peer server = listener.Accept();
  EXPECT_EQ(server.ReadRequest().head.substr(0, 11), "GET /second");
  Peer third = Ask(Get("/third"));
  ASSERT_TRUE(AwaitPending(1));
  SetLimits("");  // no limits any more
  Peer another = listener.Accept();
  EXPECT_EQ(another.ReadRequest().head.substr(0, 10), "GET /third");
  for (Peer* each : {&first.server, &server, &another}) Reply(*each);
  for (Peer* each : {&first.client, &second, &third}) EXPECT_EQ(each->ReadResponse().status, 200);
}

TEST_F(UpstreamLimitsTest, WhatWasUnderWayBeforeThereWereLimitsCounts) {
  Serve("");
  Pair first = Begin();
  SetLimits("max_connections: 1");
  EXPECT_EQ(limits().usage->connections.value(), 1u);
  Peer second = Ask(Get("/second"));
  ASSERT_TRUE(AwaitPending(1));
  Reply(first.server);
  first.server.ReadRequest();
  Reply(first.server);
  EXPECT_EQ(second.ReadResponse().status, 200);
}

TEST_F(UpstreamLimitsTest, WithItsClusterTheWaitingEnds) {
  Serve("max_connections: 1");
  Pair first = Begin();
  Peer second = Ask(Get("/second"));
  ASSERT_TRUE(AwaitPending(1));
  proxy.Apply({}, {kCluster});
  EXPECT_EQ(second.ReadResponse().status, 503);
  Reply(first.server);
  EXPECT_EQ(first.client.ReadResponse().status, 200);
}

TEST_F(UpstreamLimitsTest, ABodyThatComesMeanwhileIsKept) {
  Serve("max_connections: 1");
  Pair first = Begin();
  Peer second = Ask("POST /second HTTP/1.1\r\nHost: a.example\r\nContent-Length: 10\r\n\r\nhello");
  ASSERT_TRUE(AwaitPending(1));
  second.Send("there");
  Reply(first.server);
  EXPECT_EQ(first.server.ReadRequest().body, "hellothere");
  Reply(first.server);
  EXPECT_EQ(second.ReadResponse().status, 200);
}

TEST_F(UpstreamLimitsTest, AFullEndpointIsPassedOver) {
  listeners = {&listener, &other};
  Serve("max_requests_per_endpoint: 1");
  std::vector<Peer> clients;
  for (int i = 0; i < 2; ++i) clients.push_back(Ask(Get("/")));
  Peer a = listener.Accept();
  Peer b = other.Accept();
  a.ReadRequest();
  b.ReadRequest();
  clients.push_back(Ask(Get("/third")));
  ASSERT_TRUE(AwaitPending(1));
  // Whoever is ready first has the next request, and the one after that.
  for (int i = 0; i < 3; ++i) {
    Reply(b);
    EXPECT_EQ(b.ReadRequest().head.substr(0, 10), "GET /third");
    clients.push_back(Ask(Get("/third")));
    ASSERT_TRUE(AwaitPending(1));
  }
  EXPECT_EQ(limits().requests[0]->value(), 1u);
  EXPECT_EQ(limits().requests[1]->value(), 1u);
}

TEST_F(UpstreamLimitsTest, RequestsOfHttp2ShareTheConnectionsThatMayBe) {
  Serve("max_connections: 1", "", "protocol: H2C");
  std::vector<Peer> clients;
  clients.push_back(Ask(Get("/0")));
  Http2Peer server(listener.Accept());
  std::vector<int32_t> streams = {server.ReadRequest().stream};
  for (int i = 1; i < 5; ++i) {
    clients.push_back(Ask(Get("/" + std::to_string(i))));
    streams.push_back(server.ReadRequest().stream);
  }
  EXPECT_EQ(limits().usage->connections.value(), 1u);
  EXPECT_EQ(limits().requests[0]->value(), 5u);
  EXPECT_EQ(limits().usage->pending.value(), 0u);
  for (const int32_t stream : streams) server.Reply(stream);
  for (Peer& client : clients) EXPECT_EQ(client.ReadResponse().status, 200);
  EXPECT_TRUE(Await([&] { return limits().usage->connections.value() == 0; }));
}

TEST_F(UpstreamLimitsTest, MetricsShowWhatIsInUse) {
  Serve("max_connections: 1 max_pending_requests: 1");
  Pair first = Begin();
  Peer second = Ask(Get("/second"));
  ASSERT_TRUE(AwaitPending(1));
  EXPECT_EQ(Ask(Get("/third")).ReadResponse().status, 503);
  std::string text;
  MetricsWriter out(&text);
  admin::CollectLimits(proxy.builder(), out);
  for (const char* line :
       {"headgate_limit_active_connections{upstream=\"test/a.example/80\"} 1\n",
        "headgate_limit_active_requests{upstream=\"test/a.example/80\"} 1\n",
        "headgate_limit_pending_requests{upstream=\"test/a.example/80\"} 1\n",
        "headgate_limit_rejected_requests_total{upstream=\"test/a.example/80\"} 1\n",
        "headgate_limit_open{upstream=\"test/a.example/80\"} 1\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

class UpstreamLimitsOfManyWorkersTest : public UpstreamLimitsTest {
 protected:
  UpstreamLimitsOfManyWorkersTest() : UpstreamLimitsTest(4) {}
};

TEST_F(UpstreamLimitsOfManyWorkersTest, TheEndMayComeWhileRequestsWait) {
  Serve("max_connections: 1");
  Pair first = Begin();
  std::vector<Peer> clients;
  for (uint32_t i = 0; i < 16; ++i) clients.push_back(Ask(Get("/")));
  EXPECT_TRUE(AwaitPending(16));
}

// The server has never more than three requests at a time, and the room that one worker gives back
// is used by others.
TEST_F(UpstreamLimitsOfManyWorkersTest, LimitsHoldForAllWorkersTogether) {
  constexpr int kClients = 24;
  constexpr int kRequests = 40;
  constexpr int kMost = 3;
  Serve("max_connections: 3");
  proxy.Apply(
      {"name: \"settings\" settings { limits { upstream_idle_connections: 0 } }"});  // each ends by
                                                                                     // itself
  std::atomic<int> now{0};
  std::atomic<int> most{0};
  std::atomic<bool> over{false};
  std::vector<std::thread> servers;
  std::thread accepting([&] {
    while (!over) {
      if (!listener.HasConnection()) continue;
      servers.emplace_back([&, peer = listener.Accept()]() mutable {
        while (true) {
          const std::string head = peer.ReadHead();
          if (head.empty()) return;
          const int count = ++now;
          int seen = most;
          while (seen < count && !most.compare_exchange_weak(seen, count)) {
          }
          std::this_thread::yield();
          --now;
          if (!peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) return;
        }
      });
    }
  });
  std::atomic<int> good{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&] {
      for (int j = 0; j < kRequests; ++j) {
        Peer client = proxy.Connect();
        client.Send(Get("/", "Connection: close\r\n"));
        if (client.ReadResponse().status == 200) ++good;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(good, kClients * kRequests);
  EXPECT_LE(most, kMost);
  EXPECT_TRUE(Await([&] { return limits().usage->connections.value() == 0; }));
  EXPECT_EQ(limits().usage->pending.value(), 0u);
  EXPECT_EQ(limits().requests[0]->value(), 0u);
  over = true;
  accepting.join();
  for (std::thread& server : servers) server.join();
}

}  // namespace
}  // namespace headgate::test
