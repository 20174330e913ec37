// Ports whose connections are passed on as they are, opened and closed while others are in use.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <future>
#include <string>
#include <thread>

#include "tests/support/dataplane/peer.h"
#include "tests/support/dataplane/raw_pair.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::test {
namespace {

using observe::CounterId;
using observe::StreamCount;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

uint16_t FreePort() { return PeerListener().port(); }

base::Address ClosedAddress() { return *base::Address::ParseIp("127.0.0.1", FreePort()); }

// The cluster is that of the service at `of`, or its own.
std::string ServiceText(uint16_t port, const std::string& fields = "", uint16_t of = 0) {
  const std::string number = std::to_string(port);
  return "name: \"tcp/" + number + "\" tcp_service { port: " + number +
         " cluster: \"cluster/shop/db/" + std::to_string(of == 0 ? port : of) + "/tcp\" " + fields +
         " }";
}

std::string Lines(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

class TcpServiceTest : public ::testing::Test {
 protected:
  // Returns what was refused.
  std::vector<config::Refusal> Serve(uint16_t at, const std::vector<base::Address>& endpoints,
                                     const std::string& fields = "",
                                     const std::string& cluster = "") {
    const std::string number = std::to_string(at);
    return proxy.Apply({ServiceText(at, fields),
                        "name: \"cluster/shop/db/" + number +
                            "/tcp\" cluster { endpoints: \"endpoints/shop/db/" + number +
                            "\" log_name: \"shop-db-" + number + "\" " + cluster + " }",
                        EndpointsText("endpoints/shop/db/" + number, endpoints)});
  }
  void Open(Peer& client, Peer& server) {
    client = Peer::Connect(port);
    server = backend.Accept();
  }
  uint64_t Count(StreamCount id) {
    proxy.pool().OnEach([](worker::Worker&) {});
    uint64_t sum = 0;
    for (const auto& numbers : proxy.pool().TcpNumbers())
      sum += numbers.counts[static_cast<size_t>(id)];
    return sum;
  }
  void WaitForCount(StreamCount id, uint64_t value) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (Count(id) != value) {
      ASSERT_LT(std::chrono::steady_clock::now(), limit);
      std::this_thread::yield();
    }
  }

  TestProxy proxy;
  PeerListener backend;
  const uint16_t port = FreePort();
};

TEST_F(TcpServiceTest, BytesPassUnchangedBothWays) {
  ASSERT_THAT(Serve(port, {backend.address()}), IsEmpty());
  Peer client, server;
  Open(client, server);
  server.Send("220 the server speaks first\r\n");
  EXPECT_EQ(client.Read(29), "220 the server speaks first\r\n");
  ExpectEcho(client, server, std::string("\0\r\n\xff", 4));
  ExpectLargeEcho(client, server);
  WaitForCount(StreamCount::kActive, 0);
  EXPECT_EQ(Count(StreamCount::kConnections), 1u);
  EXPECT_GT(Count(StreamCount::kBytesFromClients), 8u << 20);
  EXPECT_EQ(Count(StreamCount::kBytesToClients), Count(StreamCount::kBytesFromClients) + 29);
  // Connections of TLS that are passed on are other ones.
  EXPECT_EQ(proxy.Count(CounterId::kPassthroughConnections), 0u);
}

TEST_F(TcpServiceTest, AnEndpointThatIsGoneAtOnceIsShownAsSuch) {
  ASSERT_THAT(Serve(port, {backend.address()}), IsEmpty());
  // The worker is held up, and then between its connect and the next look at its sockets: what is
  // posted meanwhile runs in the turn in which the client is accepted, after that.
  std::promise<void> held_up;
  std::promise<void> connected;
  auto worker = std::async(std::launch::async, [&] {
    proxy.pool().OnEach([&](worker::Worker& of_proxy) {
      held_up.set_value();
      connected.get_future().wait();
      of_proxy.Post([&] {
        Peer server = backend.Accept();
        server.Send("bye");
      });
    });
  });
  held_up.get_future().wait();
  Peer client = Peer::Connect(port);
  connected.set_value();
  EXPECT_EQ(client.ReadToEnd(), "bye");
  worker.get();
}

TEST_F(TcpServiceTest, PortsOpenAndCloseWithoutTouchingOthers) {
  const uint16_t second = FreePort();
  ASSERT_THAT(Serve(port, {backend.address()}), IsEmpty());
  Peer client, server;
  Open(client, server);
  ExpectEcho(client, server, "before");
  EXPECT_FALSE(Peer::Connect(second).connected());

  ASSERT_THAT(Serve(second, {backend.address()}), IsEmpty());
  Peer other = Peer::Connect(second);
  Peer other_server = backend.Accept();
  ExpectEcho(other, other_server, "the new one");
  ExpectEcho(client, server, "the old one");

  proxy.Apply({}, {"tcp/" + std::to_string(second)});
  EXPECT_FALSE(Peer::Connect(second).connected());
  ExpectEcho(other, other_server, "lives on");
  ExpectEcho(client, server, "the old one again");
  Peer more, more_server;
  Open(more, more_server);
  ExpectEcho(more, more_server, "and new ones");

  ASSERT_THAT(Serve(second, {backend.address()}), IsEmpty());
  Peer again = Peer::Connect(second);
  Peer again_server = backend.Accept();
  ExpectEcho(again, again_server, "it is back");
}

TEST_F(TcpServiceTest, ANewClusterTakesNewConnections) {
  PeerListener elsewhere;
  ASSERT_THAT(Serve(port, {backend.address()}), IsEmpty());
  Peer client, server;
  Open(client, server);
  const std::string number = std::to_string(port);
  proxy.Apply({"name: \"tcp/" + number + "\" tcp_service { port: " + number +
                   " cluster: \"cluster/shop/other/1\" }",
               "name: \"cluster/shop/other/1\" cluster { endpoints: \"endpoints/shop/other/1\" }",
               EndpointsText("endpoints/shop/other/1", {elsewhere.address()})});
  Peer next = Peer::Connect(port);
  Peer next_server = elsewhere.Accept();
  ExpectEcho(next, next_server, "elsewhere");
  ExpectEcho(client, server, "as before");
  const auto numbers = proxy.pool().TcpNumbers();
  ASSERT_EQ(numbers.size(), 1u);
  EXPECT_EQ(numbers[0].port, port);
  EXPECT_EQ(numbers[0].service, "shop/other/1");
}

TEST_F(TcpServiceTest, PortsThatCannotBeHadAreNamedAndHarmNothing) {
  // Of somebody who does not share it.
  net::Fd taken(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(taken.get(), reinterpret_cast<sockaddr*>(&any), sizeof(any)), 0);
  ASSERT_EQ(listen(taken.get(), 1), 0);
  const uint16_t taken_port = net::LocalAddress(taken.get())->port();

  ASSERT_THAT(Serve(port, {backend.address()}), IsEmpty());
  const uint16_t third = FreePort();
  auto refused =
      proxy.Apply({ServiceText(taken_port, "", port), ServiceText(proxy.http_port(), "", port),
                   ServiceText(third, "", port)});
  ASSERT_EQ(refused.size(), 2u);
  std::sort(refused.begin(), refused.end(), [&](const auto& a, const auto&) {
    return a.resource == "tcp/" + std::to_string(taken_port);
  });
  EXPECT_EQ(refused[0].resource, "tcp/" + std::to_string(taken_port));
  EXPECT_THAT(refused[0].reason, HasSubstr("127.0.0.1:" + std::to_string(taken_port)));
  EXPECT_EQ(refused[1].resource, "tcp/" + std::to_string(proxy.http_port()));
  EXPECT_THAT(refused[1].reason, HasSubstr("the data plane itself listens"));

  Peer client = Peer::Connect(third);
  Peer server = backend.Accept();
  ExpectEcho(client, server, "the good one");
  Peer http = proxy.Connect();
  http.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(http.ReadResponse().status, 404);

  // It is had as soon as a change comes and it is free.
  taken.Close();
  EXPECT_EQ(Serve(port, {backend.address()}).size(), 1u);  // HTTP's is still HTTP's
  client = Peer::Connect(taken_port);
  server = backend.Accept();
  ExpectEcho(client, server, "now");
}

TEST_F(TcpServiceTest, BadServicesAreRefused) {
  for (const char* text :
       {R"(name: "tcp/0" tcp_service { cluster: "cluster/a/b/1" })",
        R"(name: "tcp/70000" tcp_service { port: 70000 cluster: "cluster/a/b/1" })",
        R"(name: "tcp/5000" tcp_service { port: 5001 cluster: "cluster/a/b/1" })",
        R"(name: "tcp/5000" tcp_service { port: 5000 })",
        R"(name: "tcp/5000" tcp_service { port: 5000 cluster: "cluster/a/b/1" idle_timeout {} })",
        R"(name: "x/5000" tcp_service { port: 5000 cluster: "cluster/a/b/1" })"}) {
    EXPECT_EQ(proxy.Apply({text}).size(), 1u) << text;
  }
}

TEST_F(TcpServiceTest, LoadBalancersAndEndpointsMaySpeakThePROXYProtocol) {
  ASSERT_THAT(Serve(port, {backend.address()},
                    "proxy_protocol { required: true trusted_cidrs: \"127.0.0.0/8\" }",
                    "proxy_protocol: PROXY_PROTOCOL_V1"),
              IsEmpty());
  const std::string header = "PROXY TCP4 192.0.2.7 198.51.100.1 4711 9000\r\n";
  Peer client = Peer::Connect(port);
  client.Send(header + "hello");
  Peer server = backend.Accept();
  EXPECT_EQ(server.Read(header.size() + 5), header + "hello");
  // HTTP has no part in that.
  Peer http = proxy.Connect();
  http.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(http.ReadResponse().status, 404);

  Peer without = Peer::Connect(port);
  without.Send("no header at all\r\n");
  EXPECT_EQ(without.ReadToEnd(), "");
  EXPECT_EQ(proxy.Count(CounterId::kDownstreamProxyHeaderFailures), 1u);
}

TEST_F(TcpServiceTest, AddressesOfStrangersAreNotBelieved) {
  ASSERT_THAT(Serve(port, {backend.address()},
                    "proxy_protocol { required: true trusted_cidrs: \"192.0.2.0/24\" }",
                    "proxy_protocol: PROXY_PROTOCOL_V1"),
              IsEmpty());
  Peer client = Peer::Connect(port);
  client.Send("PROXY TCP4 192.0.2.7 198.51.100.1 4711 9000\r\nhello");
  Peer server = backend.Accept();
  EXPECT_THAT(server.Read(21), "PROXY TCP4 127.0.0.1 ");
}

TEST_F(TcpServiceTest, EndpointsThatRefuseAreNotTheLastWord) {
  ASSERT_THAT(Serve(port, {ClosedAddress(), ClosedAddress(), backend.address()}), IsEmpty());
  Peer client, server;
  for (int i = 0; i < 6; ++i) Open(client, server);
  EXPECT_GE(proxy.Count(CounterId::kUpstreamConnectFailures), 1u);
  EXPECT_EQ(Count(StreamCount::kFailures), 0u);
}

TEST_F(TcpServiceTest, NoMoreAreTriedThanTheServiceSays) {
  ASSERT_THAT(Serve(port, {ClosedAddress(), ClosedAddress()}, "tries: 1"), IsEmpty());
  EXPECT_EQ(Peer::Connect(port).ReadToEnd(), "");
  EXPECT_EQ(proxy.Count(CounterId::kUpstreamConnectFailures), 1u);
  ASSERT_THAT(Serve(port, {ClosedAddress(), ClosedAddress()}, "tries: 0"), IsEmpty());
  EXPECT_EQ(Peer::Connect(port).ReadToEnd(), "");
  EXPECT_EQ(proxy.Count(CounterId::kUpstreamConnectFailures), 9u);
  ASSERT_THAT(Serve(port, {ClosedAddress(), ClosedAddress()}, "tries_timeout { nanos: 1000000 }"),
              IsEmpty());
  Peer::Connect(port).ReadToEnd();
  EXPECT_LE(proxy.Count(CounterId::kUpstreamConnectFailures), 12u);
  EXPECT_EQ(Count(StreamCount::kFailures), 3u);
}

TEST_F(TcpServiceTest, WithoutAnEndpointTheConnectionIsClosed) {
  ASSERT_THAT(proxy.Apply({ServiceText(port)}), IsEmpty());
  EXPECT_EQ(Peer::Connect(port).ReadToEnd(), "");
  ASSERT_THAT(Serve(port, {}), IsEmpty());
  EXPECT_EQ(Peer::Connect(port).ReadToEnd(), "");
  WaitForCount(StreamCount::kActive, 0);
  EXPECT_EQ(Count(StreamCount::kFailures), 2u);
}

TEST_F(TcpServiceTest, AnEndpointThatFailsIsLeftAlone) {
  const base::Address closed = ClosedAddress();
  ASSERT_THAT(Serve(port, {closed, backend.address()}, "",
                    "outliers { max_fails: 1 fail_timeout { seconds: 60 } }"),
              IsEmpty());
  Peer client, server;
  for (int i = 0; i < 10; ++i) Open(client, server);
  EXPECT_EQ(proxy.Count(CounterId::kUpstreamConnectFailures), 1u);
  EXPECT_EQ(proxy.Count(CounterId::kUpstreamEjections), 1u);
}

TEST_F(TcpServiceTest, ConnectionsCountWhereTheEndpointWithLeastOfThemIsTaken) {
  PeerListener second;
  ASSERT_THAT(
      Serve(port, {backend.address(), second.address()}, "", "balancing { policy: LEAST_REQUEST }"),
      IsEmpty());
  std::vector<Peer> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(Peer::Connect(port));
  WaitForCount(StreamCount::kActive, 10);
  // Of two drawn, both, the one with less is taken.
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(backend.Accept().connected());
    EXPECT_TRUE(second.Accept().connected());
  }
}

TEST_F(TcpServiceTest, LimitsOfTheClusterHold) {
  ASSERT_THAT(Serve(port, {backend.address()}, "", "limits { max_connections: 1 }"), IsEmpty());
  Peer client, server;
  Open(client, server);
  ExpectEcho(client, server, "the one");
  EXPECT_EQ(Peer::Connect(port).ReadToEnd(), "");
  client.Close();
  server.Close();
  WaitForCount(StreamCount::kActive, 0);
  Open(client, server);
  ExpectEcho(client, server, "another");
}

TEST_F(TcpServiceTest, EndpointsThatLeaveKeepTheirConnections) {
  ASSERT_THAT(Serve(port, {backend.address()}), IsEmpty());
  Peer client, server;
  Open(client, server);
  ASSERT_THAT(Serve(port, {ClosedAddress()}), IsEmpty());
  ExpectEcho(client, server, "left");
  proxy.Apply({},
              {"cluster/shop/db/" + std::to_string(port) + "/tcp", "tcp/" + std::to_string(port)});
  ExpectEcho(client, server, "gone");
  client.Close();
  server.Close();
}

TEST_F(TcpServiceTest, WhicheverAddressOfANameAnswersIsTaken) {
  const std::string number = std::to_string(port);
  ASSERT_THAT(
      proxy.Apply({ServiceText(port), "name: \"cluster/shop/db/" + number +
                                          "/tcp\" cluster { dns { host: \"dual.example\" port: " +
                                          std::to_string(backend.port()) + " } }"}),
      IsEmpty());
  proxy.Resolve("dual.example",
                {*base::Address::ParseIp("::1", 0), *base::Address::ParseIp("127.0.0.1", 0)});
  Peer client, server;
  Open(client, server);
  ExpectEcho(client, server, "IPv4 it is");
  EXPECT_EQ(proxy.Count(CounterId::kUpstreamConnectFailures), 0u);
}

TEST_F(TcpServiceTest, SilenceEndsIt) {
  ASSERT_THAT(Serve(port, {backend.address()}, "idle_timeout { nanos: 200000000 }"), IsEmpty());
  Peer client, server;
  Open(client, server);
  client.ReadToEnd();
  server.ReadToEnd();
  EXPECT_EQ(Count(StreamCount::kTimeouts), 1u);
}

TEST_F(TcpServiceTest, ADrainClosesThePortAndWaitsForConnections) {
  ASSERT_THAT(Serve(port, {backend.address()}), IsEmpty());
  Peer client, server;
  Open(client, server);
  auto drained =
      std::async(std::launch::async, [&] { return proxy.pool().Drain(std::chrono::seconds(20)); });
  for (Peer late = Peer::Connect(port); late.connected(); late = Peer::Connect(port)) late.Abort();
  EXPECT_EQ(drained.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  ExpectEcho(client, server, "draining");
  client.Close();
  server.Close();
  EXPECT_TRUE(drained.get());
}

TEST(TcpServiceLogTest, ConnectionsHaveALineOfTheirOwn) {
  const std::string path = ::testing::TempDir() + "/tcp-access.log";
  std::remove(path.c_str());
  auto log = observe::AccessLogFile::Open(path);
  ASSERT_TRUE(log.ok());
  {
    PeerListener backend;
    TestProxy proxy(1, 1 << 20, {}, net::PipePool::kMaxPipes, log->get());
    const std::vector<uint16_t> ports = {FreePort(), FreePort()};
    for (const uint16_t port : ports) {
      const std::string number = std::to_string(port);
      ASSERT_THAT(proxy.Apply({ServiceText(port, port == ports[1] ? "no_access_log: true" : ""),
                               "name: \"cluster/shop/db/" + number +
                                   "/tcp\" cluster { endpoints: \"endpoints/e\" }",
                               EndpointsText("endpoints/e", {backend.address()})}),
                  IsEmpty());
      Peer client = Peer::Connect(port);
      Peer server = backend.Accept();
      client.Send("12345");
      EXPECT_EQ(server.Read(5), "12345");
      server.Send("123");
      server.Close();
      EXPECT_EQ(client.ReadToEnd(), "123");
    }
  }
  (*log)->Flush();
  EXPECT_THAT(Lines(path),
              MatchesRegex("\\[127\\.0\\.0\\.1\\] \\[[^]]+\\] TCP 200 3 5 [0-9]+\\.[0-9]+\n"));
}

}  // namespace
}  // namespace headgate::test
