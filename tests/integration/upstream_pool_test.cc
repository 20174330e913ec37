// Connections with endpoints that wait for the next request: how many, how long, and those made
// ahead of it.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/dataplane/http2_peer.h"
#include "tests/support/dataplane/peer.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::test {
namespace {

using observe::CounterId;

class UpstreamPoolTest : public ::testing::Test {
 protected:
  void Serve(const std::string& settings, const std::string& cluster = "") {
    proxy.Route("a.example", {listener.address()});
    const auto refused = proxy.Apply({"name: \"settings\" settings { " + settings + " }",
                                      "name: \"cluster/test/a.example/80\" cluster { endpoints: "
                                      "\"endpoints/test/a.example/80\" " +
                                          cluster + " }"});
    for (const auto& refusal : refused) ADD_FAILURE() << refusal.reason;
  }
  // One request on a new connection with the endpoint, which is given back.
  Peer AskOnce() {
    Peer client = proxy.Connect();
    client.Send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
    Peer server = listener.Accept();
    Answer(server);
    EXPECT_EQ(client.ReadResponse().status, 200);
    return server;
  }
  void Answer(Peer& server) {
    server.ReadRequest();
    server.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  }

  TestProxy proxy;
  PeerListener listener;
};

TEST_F(UpstreamPoolTest, AConnectionServesSeveralRequests) {
  Serve("");
  Peer server = AskOnce();
  Peer client = proxy.Connect();
  client.Send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
  Answer(server);
  EXPECT_EQ(client.ReadResponse().status, 200);
}

TEST_F(UpstreamPoolTest, ItIsClosedWhenItIsTooOld) {
  Serve("upstream_connection_age { nanos: 1000000 }");
  Peer server = AskOnce();
  EXPECT_TRUE(server.Ended());
}

TEST_F(UpstreamPoolTest, AnOldOneOfHttp2FinishesItsRequests) {
  Serve("upstream_connection_age { nanos: 1000000 }", "protocol: H2C");
  Peer client = proxy.Connect();
  client.Send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
  Http2Peer server(listener.Accept());
  const int32_t stream = server.ReadRequest().stream;
  const auto old = std::chrono::steady_clock::now() + std::chrono::milliseconds(5);
  while (std::chrono::steady_clock::now() < old) std::this_thread::yield();
  Peer other = proxy.Connect();
  other.Send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
  Http2Peer another(listener.Accept());  // the first takes no more
  const int32_t second = another.ReadRequest().stream;
  server.Reply(stream);
  EXPECT_EQ(client.ReadResponse().status, 200);
  another.Reply(second);
  EXPECT_EQ(other.ReadResponse().status, 200);
  proxy.WaitForClosedUpstreams();
}

TEST_F(UpstreamPoolTest, ItIsClosedAfterItsNumberOfRequests) {
  Serve("limits { max_requests_per_upstream_connection: 1 }");
  Peer server = AskOnce();
  EXPECT_TRUE(server.Ended());
}

TEST_F(UpstreamPoolTest, NoneWaitsWhereNoneMay) {
  Serve("limits { upstream_idle_connections: 0 }");
  Peer server = AskOnce();
  EXPECT_TRUE(server.Ended());
}

TEST_F(UpstreamPoolTest, ItIsClosedWhenItHasWaitedTooLong) {
  Serve("timeouts { upstream_idle { nanos: 1000000 } }");
  Peer server = AskOnce();
  EXPECT_TRUE(server.Ended());
}

TEST_F(UpstreamPoolTest, AClusterMayKeepThemInAWayOfItsOwn) {
  Serve("", "max_requests_per_connection: 1");
  EXPECT_TRUE(AskOnce().Ended());
  Serve("timeouts { upstream_idle { seconds: 600 } }", "idle_timeout { nanos: 1000000 }");
  EXPECT_TRUE(AskOnce().Ended());

  Serve("", "idle_connections: 1");
  Peer first = proxy.Connect();
  Peer second = proxy.Connect();
  first.Send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
  Peer oldest = listener.Accept();
  second.Send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
  Peer newest = listener.Accept();
  Answer(oldest);
  EXPECT_EQ(first.ReadResponse().status, 200);
  Answer(newest);
  EXPECT_EQ(second.ReadResponse().status, 200);
  EXPECT_TRUE(oldest.Ended());
  EXPECT_TRUE(newest.Silent());
}

TEST_F(UpstreamPoolTest, ConnectionsAreMadeAheadOfRequests) {
  Serve("", "warm_connections: 2");
  Peer a = listener.Accept();
  Peer b = listener.Accept();
  Peer client = proxy.Connect();
  client.Send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
  Answer(b);  // the one made last
  EXPECT_EQ(client.ReadResponse().status, 200);
  EXPECT_EQ(proxy.Count(CounterId::kUpstreamConnectionsActive), 2u);
}

TEST_F(UpstreamPoolTest, WhatWasMadeAheadAndIsGoneIsMadeAgain) {
  Serve("", "warm_connections: 1");
  listener.Accept().Close();
  EXPECT_TRUE(listener.Accept().connected());
}

TEST_F(UpstreamPoolTest, OneThatDiedBeforeItsFirstRequestCostsNoRetry) {
  Serve("", "warm_connections: 1 retry_budget { percent: 0 }");
  Peer idle = listener.Accept();
  Peer client = proxy.Connect();
  client.Send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
  idle.ReadRequest();
  idle.Close();
  Peer server = listener.Accept();
  Answer(server);
  EXPECT_EQ(client.ReadResponse().status, 200);
  EXPECT_EQ(proxy.Count(CounterId::kUpstreamRetries), 0u);
}

TEST_F(UpstreamPoolTest, AConnectionOfHttp2IsMadeAhead) {
  Serve("", "warm_connections: 3 protocol: H2C");
  Http2Peer server(listener.Accept());
  Peer client = proxy.Connect();
  client.Send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
  server.Reply(server.ReadRequest().stream);
  EXPECT_EQ(client.ReadResponse().body, "ok");
  EXPECT_EQ(proxy.Count(CounterId::kUpstreamConnectionsActive), 1u);
}

TEST_F(UpstreamPoolTest, AnEndpointThatRefusesThemIsAskedNowAndThen) {
  uint16_t port = 0;
  {
    const PeerListener gone;
    port = gone.port();
  }
  proxy.Route("a.example", {*base::Address::ParseIp("127.0.0.1", port)});
  proxy.Apply(
      {"name: \"cluster/test/a.example/80\" cluster { endpoints: \"endpoints/test/a.example/80\" "
       "warm_connections: 1 }"});
  EXPECT_TRUE(proxy.WaitForCount(CounterId::kUpstreamConnectFailures, 2));
  EXPECT_LE(proxy.Count(CounterId::kUpstreamConnectFailures), 3u);
}

}  // namespace
}  // namespace headgate::test
