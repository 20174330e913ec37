// Connections from load balancers that say who their client is.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/escaping.h"
#include "tests/support/certificates.h"
#include "tests/support/dataplane/test_proxy.h"
#include "tests/support/dataplane/tls_peer.h"

namespace headgate::test {
namespace {

using observe::CounterId;

constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
constexpr char kGet[] = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
constexpr char kHeader[] = "PROXY TCP4 192.0.2.7 198.51.100.1 4711 8443\r\n";

class ProxyProtocolTest : public ::testing::Test {
 protected:
  ProxyProtocolTest() {
    proxy_.Route("a.example", {upstream_.address()});
    Require("trusted_cidrs: \"127.0.0.0/8\"");
  }
  void Require(const std::string& fields) {
    proxy_.Apply(
        {"name: \"settings\" settings { proxy_protocol { required: true " + fields + " } }"});
  }
  // What the upstream gets of one request, which is answered.
  Peer::Message Forwarded() {
    Peer server = upstream_.Accept();
    Peer::Message request = server.ReadRequest();
    server.Send(kOk);
    return request;
  }

  TestProxy proxy_;
  PeerListener upstream_;
};

TEST_F(ProxyProtocolTest, TheHeadersClientIsTheClient) {
  Peer client = proxy_.Connect();
  client.Send(std::string(kHeader) + kGet);
  const Peer::Message request = Forwarded();
  EXPECT_EQ(request.Field("X-Real-IP"), "192.0.2.7");
  EXPECT_EQ(request.Field("X-Forwarded-For"), "192.0.2.7");
  EXPECT_EQ(request.Field("X-Forwarded-Port"), "8443");
  EXPECT_EQ(client.ReadResponse().body, "ok");
  client.Send(kGet);
  EXPECT_EQ(Forwarded().Field("X-Real-IP"), "192.0.2.7") << "for every request of the connection";
}

TEST_F(ProxyProtocolTest, AHeaderMayComeInPieces) {
  const std::string all = std::string(kHeader) + kGet;
  Peer client = proxy_.Connect();
  for (const char byte : all) {
    client.Send({&byte, 1});
    proxy_.Count(CounterId::kDownstreamConnections);  // the worker has seen it
  }
  EXPECT_EQ(Forwarded().Field("X-Real-IP"), "192.0.2.7");
}

TEST_F(ProxyProtocolTest, ItComesBeforeTls) {
  const auto server = headgate::testing::MakeCertificate({"server"});
  proxy_.Apply({"name: \"cert/default\" certificate { chain_pem: \"" + absl::CEscape(server.chain) +
                "\" key_pem: \"" + absl::CEscape(server.key) + "\" }"});
  TlsPeer client(proxy_.https_port(), {.server_name = "a.example", .before = kHeader});
  ASSERT_TRUE(client.connected());
  client.Send(kGet);
  const Peer::Message request = Forwarded();
  EXPECT_EQ(request.Field("X-Real-IP"), "192.0.2.7");
  EXPECT_EQ(request.Field("X-Forwarded-Proto"), "https");
  EXPECT_EQ(client.ReadResponse().body, "ok");
}

TEST_F(ProxyProtocolTest, OfOthersItIsReadAndDropped) {
  Require("trusted_cidrs: \"10.0.0.0/8\"");
  Peer client = proxy_.Connect();
  client.Send(std::string(kHeader) + kGet);
  EXPECT_EQ(Forwarded().Field("X-Real-IP"), "127.0.0.1");
}

TEST_F(ProxyProtocolTest, WithoutItNothingIsServed) {
  Peer client = proxy_.Connect();
  client.Send(kGet);
  EXPECT_EQ(client.ReadToEnd(), "");
  Peer cut = proxy_.Connect();
  cut.Send("PROXY TCP4 192.0.2.7");
  cut.ShutdownWrite();
  EXPECT_EQ(cut.ReadToEnd(), "");
  EXPECT_TRUE(proxy_.WaitForCount(CounterId::kDownstreamProxyHeaderFailures, 2));
}

TEST_F(ProxyProtocolTest, ItMustComeInTime) {
  Require("timeout { nanos: 50000000 }");
  Peer client = proxy_.Connect();
  client.Send("PROXY ");
  EXPECT_EQ(client.ReadToEnd(), "");
  EXPECT_EQ(proxy_.Count(CounterId::kDownstreamConnectionsActive), 0u);
}

}  // namespace
}  // namespace headgate::test
