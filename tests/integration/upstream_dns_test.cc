// Endpoints that a DNS name stands for, with addresses of both families.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/net/socket.h"
#include "tests/support/dataplane/http2_peer.h"
#include "tests/support/dataplane/peer.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::test {
namespace {

using observe::CounterId;

base::Address Ip(const char* text) { return *base::Address::ParseIp(text, 0); }

class UpstreamDnsTest : public ::testing::Test {
 protected:
  // The name's addresses are IPv6 and IPv4 of this host, of which the listener has but the second.
  void Serve(const std::string& fields) {
    proxy.Route("a.example", {});
    const auto refused = proxy.Apply(
        {"name: \"cluster/test/a.example/80\" cluster { dns { host: \"dual.example\" port: " +
         std::to_string(listener.port()) + " } " + fields + " }"});
    for (const auto& refusal : refused) ADD_FAILURE() << refusal.reason;
    proxy.Resolve("dual.example", {Ip("127.0.0.1"), Ip("::1")});
  }
  Peer Ask() {
    Peer client = proxy.Connect();
    client.Send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
    return client;
  }

  TestProxy proxy;
  PeerListener listener;
};

TEST_F(UpstreamDnsTest, AFamilyThatCannotBeReachedCostsNoAttempt) {
  Serve("");
  Peer client = Ask();
  Peer server = listener.Accept();
  server.ReadRequest();
  server.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_EQ(client.ReadResponse().body, "ok");
  EXPECT_EQ(proxy.Count(CounterId::kUpstreamConnectFailures), 0u);
  EXPECT_EQ(proxy.Count(CounterId::kUpstreamRetries), 0u);
}

TEST_F(UpstreamDnsTest, NorDoesItWithHttp2) {
  Serve("protocol: H2C");
  Peer client = Ask();
  Http2Peer server(listener.Accept());
  server.Reply(server.ReadRequest().stream);
  EXPECT_EQ(client.ReadResponse().body, "ok");
  EXPECT_EQ(proxy.Count(CounterId::kUpstreamConnectFailures), 0u);
}

TEST_F(UpstreamDnsTest, WhatWasReachedLastIsTriedFirst) {
  Serve("");
  Peer first = Ask();
  Peer server = listener.Accept();
  server.ReadRequest();
  base::Address v6 = Ip("::1");
  v6.set_port(listener.port());
  const auto other = net::BindTcp(v6);
  if (!other.ok() || listen(other->get(), 8) != 0) GTEST_SKIP() << "no IPv6 here";
  Peer second = Ask();  // on a connection of its own
  Peer another = listener.Accept();
  EXPECT_NE(another.ReadRequest().head, "");
}

TEST_F(UpstreamDnsTest, WhereNoAddressCanBeReachedTheAttemptFails) {
  proxy.Route("a.example", {}, "policy { next_upstream { conditions { } } }");
  uint16_t port = 0;
  {
    const PeerListener gone;
    port = gone.port();
  }
  proxy.Apply({"name: \"cluster/test/a.example/80\" cluster { dns { host: \"dual.example\" port: " +
               std::to_string(port) + " } }"});
  proxy.Resolve("dual.example", {Ip("127.0.0.1"), Ip("::1")});
  EXPECT_EQ(Ask().ReadResponse().status, 502);
  EXPECT_EQ(proxy.Count(CounterId::kUpstreamConnectFailures), 1u);
  EXPECT_EQ(proxy.Count(CounterId::kUpstreamConnectionsActive), 0u);
}

TEST_F(UpstreamDnsTest, AClientThatGoesEndsTheRace) {
  Serve("");
  proxy.Resolve("dual.example", {Ip("127.0.0.2"), Ip("::1")});  // nobody listens there
  Peer client = Ask();
  client.Abort();
  proxy.WaitForClosedUpstreams();
}

TEST(UpstreamDnsLogTest, TheLogNamesTheAddressThatAnswered) {
  const std::string path = ::testing::TempDir() + "/dns-access.log";
  std::remove(path.c_str());
  auto log = observe::AccessLogFile::Open(path);
  ASSERT_TRUE(log.ok());
  PeerListener listener;
  {
    TestProxy proxy(1, 1 << 20, {}, net::PipePool::kMaxPipes, log->get());
    proxy.Route("a.example", {});
    proxy.Apply(
        {"name: \"cluster/test/a.example/80\" cluster { dns { host: \"dual.example\" port: " +
         std::to_string(listener.port()) + " } }"});
    proxy.Resolve("dual.example", {Ip("127.0.0.1"), Ip("::1")});
    Peer client = proxy.Connect();
    client.Send("GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
    Peer server = listener.Accept();
    server.ReadRequest();
    server.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    EXPECT_EQ(client.ReadResponse().body, "ok");
  }
  (*log)->Flush();
  std::ifstream file(path);
  const std::string lines{std::istreambuf_iterator<char>(file), {}};
  EXPECT_NE(lines.find(" 127.0.0.1:" + std::to_string(listener.port()) + " "), std::string::npos)
      << lines;
}

}  // namespace
}  // namespace headgate::test
