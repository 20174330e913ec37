// Upgrades: what both ends of a tunnel see, and what becomes of upgrades that are refused or
// malformed.

#include <gtest/gtest.h>

#include <future>
#include <string>
#include <thread>

#include "tests/support/dataplane/peer.h"
#include "tests/support/dataplane/raw_pair.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::test {
namespace {

using observe::CounterId;

constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
constexpr char kSwitching[] =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: "
    "WebSocket\r\nSec-WebSocket-Accept: x\r\n\r\n";

std::string Upgrade(std::string_view path = "/ws", std::string_view fields = "") {
  return "GET " + std::string(path) +
         " HTTP/1.1\r\nHost: a.example\r\nConnection: keep-alive, Upgrade\r\nUpgrade: "
         "websocket\r\n" +
         std::string(fields) + "\r\n";
}

class TunnelTest : public testing::Test {
 protected:
  TunnelTest() { proxy.Route("a.example", {upstream.address()}); }

  // Brings a tunnel into being.
  void Open(Peer& client, Peer& server) {
    client = proxy.Connect();
    client.Send(Upgrade());
    server = upstream.Accept();
    server.ReadRequest();
    server.Send(kSwitching);
    EXPECT_TRUE(client.ReadHead().starts_with("HTTP/1.1 101 "));
  }

  TestProxy proxy;
  PeerListener upstream;
};

TEST_F(TunnelTest, CarriesBytesBothWaysAfterTheSwitch) {
  Peer client = proxy.Connect();
  client.Send(Upgrade("/ws", "Sec-WebSocket-Key: k\r\nTE: trailers\r\n"));
  Peer server = upstream.Accept();
  const Peer::Message request = server.ReadRequest();
  EXPECT_TRUE(request.head.starts_with("GET /ws HTTP/1.1\r\n"));
  EXPECT_EQ(request.Field("Connection"), "Upgrade");
  EXPECT_EQ(request.Field("Upgrade"), "websocket");
  EXPECT_EQ(request.Field("Sec-WebSocket-Key"), "k");
  server.Send(kSwitching);
  const Peer::Message response = client.ReadResponse();
  EXPECT_EQ(response.status, 101);
  EXPECT_EQ(response.Field("Connection"), "Upgrade");
  EXPECT_EQ(response.Field("Upgrade"), "websocket");
  EXPECT_EQ(response.Field("Sec-WebSocket-Accept"), "x");
  EXPECT_EQ(response.Field("Content-Length"), "");
  EXPECT_EQ(response.Field("Transfer-Encoding"), "");
  ExpectEcho(client, server, "GET /not-a-request HTTP/1.1\r\n\r\n");
  ExpectEcho(client, server, std::string("\0\r\n\xff", 4));
}

TEST_F(TunnelTest, BytesThatCameEarlyBelongToTheTunnel) {
  Peer client = proxy.Connect();
  client.Send(Upgrade() + "early");
  Peer server = upstream.Accept();
  server.ReadRequest();
  server.Send(std::string(kSwitching) + "also early");
  EXPECT_EQ(server.Read(5), "early");
  EXPECT_EQ(client.ReadResponse().status, 101);
  EXPECT_EQ(client.Read(10), "also early");
}

TEST_F(TunnelTest, EachDirectionEndsByItself) {
  Peer client, server;
  Open(client, server);
  client.Send("last words");
  client.ShutdownWrite();
  EXPECT_EQ(server.ReadToEnd(), "last words");
  server.Send("and an answer");
  server.Close();
  EXPECT_EQ(client.ReadToEnd(), "and an answer");

  Open(client, server);
  server.Send("last words");
  server.ShutdownWrite();
  EXPECT_EQ(client.ReadToEnd(), "last words");
  client.Send("and an answer");
  client.Close();
  EXPECT_EQ(server.ReadToEnd(), "and an answer");

  client = proxy.Connect();
  client.Send(Upgrade() + "all I have to say");
  client.ShutdownWrite();
  server = upstream.Accept();
  server.ReadRequest();
  server.Send(kSwitching);
  EXPECT_EQ(server.ReadToEnd(), "all I have to say");
  server.Close();
  client.ReadToEnd();
  EXPECT_EQ(proxy.Count(CounterId::kTunnelsActive), 0u);
  EXPECT_EQ(proxy.Count(CounterId::kDownstreamResets), 0u);
}

TEST_F(TunnelTest, AResetIsPassedOnAsAReset) {
  Peer client, server;
  bool reset = false;
  Open(client, server);
  client.Abort();
  server.ReadToEnd(&reset);
  EXPECT_TRUE(reset);

  Open(client, server);
  server.Abort();
  client.ReadToEnd(&reset);
  EXPECT_TRUE(reset);
  EXPECT_TRUE(proxy.WaitForCount(CounterId::kTunnels, 2));
  EXPECT_EQ(proxy.Count(CounterId::kTunnelsActive), 0u);
}

TEST_F(TunnelTest, AnUpstreamThatEndsAndReadsNoMoreHarmsNothing) {
  Peer client, server;
  Open(client, server);
  server.Send("bye");
  server.Close();
  EXPECT_EQ(client.ReadToEnd(), "bye");
  // The first write meets a closed socket and is answered with a reset; what follows has no reader.
  for (int i = 0; i < 10; ++i) client.Send("still talking");
  client.ShutdownWrite();
  EXPECT_TRUE(proxy.WaitForCount(CounterId::kTunnelBytesFromClients, 130));
  client.Close();
  while (proxy.Count(CounterId::kDownstreamConnectionsActive) > 0) std::this_thread::yield();
  EXPECT_EQ(proxy.Count(CounterId::kTunnelsActive), 0u);
}

TEST_F(TunnelTest, ASlowReaderHoldsTheOtherSideBack) {
  constexpr size_t kLimit = 128 << 20;
  Peer client, server;
  Open(client, server);
  const size_t up = FillUp(client, kLimit);
  EXPECT_LT(up, kLimit);
  const size_t down = FillUp(server, kLimit);
  EXPECT_LT(down, kLimit);
  // Nothing is lost, and both move again.
  EXPECT_EQ(server.Read(up).size(), up);
  EXPECT_EQ(client.Read(down).size(), down);
  ExpectEcho(client, server, "again");
}

TEST_F(TunnelTest, LargeStreamsPassUnchangedBothWaysAtOnce) {
  Peer client, server;
  Open(client, server);
  const size_t bytes = ExpectLargeEcho(client, server);
  EXPECT_EQ(proxy.Count(CounterId::kTunnelBytesFromClients), bytes);
  EXPECT_EQ(proxy.Count(CounterId::kTunnelBytesToClients), bytes);
}

TEST_F(TunnelTest, ASilentTunnelIsClosedAfterTheReadTimeoutOfItsRoute) {
  proxy.Route("a.example", {upstream.address()}, "policy { read_timeout { nanos: 200000000 } }");
  Peer client, server;
  Open(client, server);
  ExpectEcho(client, server, "awake");
  client.ReadToEnd();
  server.ReadToEnd();
  EXPECT_EQ(proxy.Count(CounterId::kTunnelTimeouts), 1u);
  EXPECT_EQ(proxy.Count(CounterId::kTunnelsActive), 0u);
}

TEST_F(TunnelTest, ItsOwnLimitGoesBeforeTheReadTimeout) {
  proxy.Route("a.example", {upstream.address()},
              "policy { tunnel_idle_timeout { nanos: 200000000 } }");
  Peer client, server;
  Open(client, server);
  client.ReadToEnd();
  EXPECT_EQ(proxy.Count(CounterId::kTunnelTimeouts), 1u);
  proxy.Route("a.example", {upstream.address()},
              "policy { read_timeout { nanos: 100000000 } tunnel_idle_timeout { seconds: 60 } }");
  Open(client, server);
  EXPECT_TRUE(client.Silent());
  EXPECT_TRUE(server.Silent());
  ExpectEcho(client, server, "awake");
}

TEST_F(TunnelTest, EitherDirectionKeepsATunnelAwake) {
  proxy.Route("a.example", {upstream.address()}, "policy { read_timeout { nanos: 600000000 } }");
  Peer client, server;
  Open(client, server);
  for (int i = 0; i < 10; ++i) {  // ten times a bit more than Silent's tenth of a second
    client.Send("x");
    EXPECT_EQ(server.Read(1), "x");
    EXPECT_TRUE(client.Silent());
  }
  for (int i = 0; i < 10; ++i) {
    server.Send("x");
    EXPECT_EQ(client.Read(1), "x");
    EXPECT_TRUE(server.Silent());
  }
}

TEST_F(TunnelTest, IsCountedWhileItLivesAndLoggedWhenItEnds) {
  Peer client, server;
  Open(client, server);
  ExpectEcho(client, server, "12345");
  EXPECT_EQ(proxy.Count(CounterId::kTunnels), 1u);
  EXPECT_EQ(proxy.Count(CounterId::kTunnelsActive), 1u);
  EXPECT_EQ(proxy.Count(CounterId::kTunnelBytesFromClients), 5u);
  EXPECT_EQ(proxy.Count(CounterId::kTunnelBytesToClients), 5u);
  EXPECT_EQ(proxy.RouteCount("a.example").by_class[1], 0u);
  client.Close();
  EXPECT_TRUE(server.Ended());
  server.Close();
  while (proxy.Count(CounterId::kTunnelsActive) > 0) std::this_thread::yield();
  EXPECT_EQ(proxy.RouteCount("a.example").by_class[1], 1u);
  EXPECT_EQ(proxy.RouteCount("a.example").response_bytes, 5u);
}

TEST_F(TunnelTest, SurvivesAThousandSwapsAndHoldsNoneOfThem) {
  Peer client, server;
  Open(client, server);
  for (int i = 0; i < 1000; ++i) {
    if (i % 4 == 0) {
      proxy.Apply({"name: \"settings\" settings { limits { max_request_body_bytes: " +
                   std::to_string(i + 1) + " } }"});
    } else if (i % 4 == 1) {
      proxy.Route("b.example", {upstream.address()},
                  "policy { read_timeout { seconds: " + std::to_string(i) + " } }");
    } else if (i % 4 == 2) {
      proxy.Apply({},
                  {"vhost/a.example", "cluster/test/a.example/80", "endpoints/test/a.example/80"});
    } else {
      proxy.Route("a.example", {upstream.address()});
    }
    if (i % 10 == 0) ExpectEcho(client, server, "swap " + std::to_string(i));
  }
  ExpectEcho(client, server, "end");
  // All but the current one have been given back although the tunnel began under the first.
  EXPECT_GE(proxy.released_configs(), 1000u);
}

TEST_F(TunnelTest, LastsWhileDrainingAndEndsWithTheWorkers) {
  Peer client, server;
  Open(client, server);
  auto drained =
      std::async(std::launch::async, [&] { return proxy.pool().Drain(std::chrono::seconds(20)); });
  EXPECT_EQ(drained.wait_for(std::chrono::milliseconds(200)), std::future_status::timeout);
  ExpectEcho(client, server, "draining");
  proxy.pool().Stop();
  client.ReadToEnd();
  server.ReadToEnd();
  EXPECT_EQ(proxy.pool().Sum(CounterId::kTunnelsActive), 0u);
}

TEST_F(TunnelTest, ADrainEndsWhenTheTunnelDoes) {
  Peer client, server;
  Open(client, server);
  auto drained =
      std::async(std::launch::async, [&] { return proxy.pool().Drain(std::chrono::seconds(20)); });
  client.Close();
  server.Close();
  EXPECT_TRUE(drained.get());
}

TEST_F(TunnelTest, AnUpstreamThatDiesAfterTheSwitchIsNotTriedAgain) {
  Peer client, server;
  Open(client, server);
  server.Abort();
  EXPECT_EQ(client.ReadToEnd(), "");
  EXPECT_FALSE(upstream.HasConnection());
}

TEST_F(TunnelTest, AnUpgradeMayBeTriedAgainBeforeTheSwitch) {
  Peer client = proxy.Connect();
  client.Send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
  Peer server = upstream.Accept();
  server.ReadRequest();
  server.Send(kOk);
  client.ReadResponse();
  client.Send(Upgrade());
  server.ReadRequest();
  server.Close();  // a pooled connection that died unanswered
  Peer second = upstream.Accept();
  EXPECT_EQ(second.ReadRequest().Field("Upgrade"), "websocket");
  second.Send(kSwitching);
  EXPECT_EQ(client.ReadResponse().status, 101);
}

TEST_F(TunnelTest, ARefusedUpgradeEndsTheClientConnection) {
  for (const char* answer : {"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", kOk,
                             "HTTP/1.1 426 Upgrade Required\r\nUpgrade: foo\r\nConnection: "
                             "upgrade\r\nContent-Length: 0\r\n\r\n"}) {
    PeerListener own;
    proxy.Route("a.example", {own.address()});
    Peer client = proxy.Connect();
    client.Send(Upgrade() + "GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n");
    Peer server = own.Accept();
    server.ReadRequest();
    server.Send(answer);
    const Peer::Message response = client.ReadResponse();
    EXPECT_NE(response.status, 101);
    EXPECT_EQ(response.Field("Connection"), "close");
    EXPECT_EQ(response.Field("Upgrade"), "");
    EXPECT_TRUE(client.Ended());
    EXPECT_TRUE(server.Silent()) << "what followed the upgrade was taken for a request";
    // The upstream's connection is in order: it got one request and gave one answer.
    Peer next = proxy.Connect();
    next.Send("GET /next HTTP/1.1\r\nHost: a.example\r\n\r\n");
    EXPECT_TRUE(server.ReadRequest().head.starts_with("GET /next "));
    server.Send(kOk);
    EXPECT_EQ(next.ReadResponse().body, "ok");
  }
}

TEST_F(TunnelTest, ASwitchToWhatWasNotAskedForIs502) {
  const std::string plain = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
  const std::pair<std::string, const char*> cases[] = {
      {plain, kSwitching},
      {Upgrade(),
       "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"},
      {Upgrade(),
       "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket, "
       "foo\r\n\r\n"},
      {Upgrade(), "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\r\n"},
      {Upgrade(), "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"},
      {Upgrade(),
       "HTTP/1.0 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"},
      {Upgrade(), "HTTP/1.1 101 Switching Protocols\r\n\r\n"},
  };
  for (const auto& [request, answer] : cases) {
    Peer client = proxy.Connect();
    client.Send(request);
    Peer server = upstream.Accept();
    server.ReadRequest();
    server.Send(answer);
    EXPECT_EQ(client.ReadResponse().status, 502) << answer;
    server.ReadToEnd();  // closed: nobody knows what it speaks now
  }
  EXPECT_EQ(proxy.Count(CounterId::kTunnels), 0u);
  EXPECT_EQ(proxy.Count(CounterId::kUpstreamProtocolErrors), std::size(cases));
}

TEST_F(TunnelTest, UpgradesThatAreNotPassedOnAreOrdinaryRequests) {
  Peer client = proxy.Connect();
  Peer server;
  for (const char* request : {
           "POST / HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: "
           "websocket\r\nContent-Length: 3\r\n\r\nabc",
           "POST / HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
           "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: "
           "h2c\r\n"
           "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: upgrade\r\nUpgrade: H2C, HTTP/2.0, "
           "TLS/1.0\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: upgrade\r\nUpgrade: websocket, "
           "foo\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: upgrade\r\n\r\n",
           "GET / HTTP/1.0\r\nHost: a.example\r\nConnection: keep-alive, upgrade\r\nUpgrade: "
           "websocket\r\n\r\n",
       }) {
    client.Send(request);
    if (!server.connected()) server = upstream.Accept();
    const Peer::Message seen = server.ReadRequest();
    EXPECT_EQ(seen.Field("Upgrade"), "") << request;
    EXPECT_EQ(seen.Field("HTTP2-Settings"), "") << request;
    EXPECT_EQ(seen.Field("Connection"), "") << request;
    EXPECT_EQ(seen.body, std::string_view(request).starts_with("POST") ? "abc" : "");
    server.Send(kOk);
    EXPECT_EQ(client.ReadResponse().body, "ok") << request;
  }
}

TEST_F(TunnelTest, AMalformedUpgradeIs400) {
  for (const char* value : {"web socket", "websocket/", "/1", "a/b/c", "\"websocket\""}) {
    Peer client = proxy.Connect();
    client.Send("GET / HTTP/1.1\r\nHost: a.example\r\nConnection: upgrade\r\nUpgrade: " +
                std::string(value) + "\r\n\r\n");
    EXPECT_EQ(client.ReadResponse().status, 400) << value;
    EXPECT_TRUE(client.Ended());
  }
}

TEST_F(TunnelTest, OtherProtocolsAndMethodsPassToo) {
  Peer client = proxy.Connect();
  client.Send(
      "POST /attach HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: "
      "SPDY/3.1\r\nContent-Length: 0\r\n\r\n");
  Peer server = upstream.Accept();
  EXPECT_EQ(server.ReadRequest().Field("Upgrade"), "SPDY/3.1");
  server.Send(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: "
      "SPDY/3.1\r\nContent-Length: 7\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().status, 101);
  ExpectEcho(client, server, "x");
}

}  // namespace
}  // namespace headgate::test
