// Endpoints that are told who the client is by the PROXY protocol.
#include <gtest/gtest.h>

#include <string>

#include "tests/support/certificates.h"
#include "tests/support/dataplane/http2_peer.h"
#include "tests/support/dataplane/peer.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::test {
namespace {

using headgate::testing::MakeCertificate;

constexpr char kGet[] = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
// From load balancers before us.
constexpr char kFrom4[] = "PROXY TCP4 192.0.2.7 198.51.100.1 4711 8443\r\n";
constexpr char kFrom6[] = "PROXY TCP6 2001:db8::7 2001:db8::1 4711 8443\r\n";

class UpstreamProxyProtocolTest : public ::testing::Test {
 protected:
  UpstreamProxyProtocolTest() { proxy_.Route("a.example", {upstream_.address()}); }

  void Tell(const std::string& version, const std::string& cluster = "") {
    const auto refused =
        proxy_.Apply({"name: \"cluster/test/a.example/80\" cluster { endpoints: "
                      "\"endpoints/test/a.example/80\" proxy_protocol: "
                      "PROXY_PROTOCOL_" +
                      version + " " + cluster + " }"});
    for (const auto& refusal : refused) ADD_FAILURE() << refusal.reason;
  }
  void BehindLoadBalancer() {
    proxy_.Apply(
        {"name: \"settings\" settings { proxy_protocol { required: true trusted_cidrs: "
         "\"127.0.0.0/8\" } }"});
  }
  // One exchange over `client`; the first line that the endpoint is sent.
  std::string TextHeader(Peer& client, const std::string& before = "") {
    client.Send(before + kGet);
    Peer server = upstream_.Accept();
    const std::string head = server.ReadHead();
    server.Send(kOk);
    EXPECT_EQ(client.ReadResponse().body, "ok");
    EXPECT_TRUE(server.Ended()) << "the connection is for one request";
    const size_t line = head.find("\r\n");
    EXPECT_EQ(head.substr(line + 2, 15), "GET / HTTP/1.1\r");
    EXPECT_NE(head.find("\r\nConnection: close\r\n"), std::string::npos);
    return head.substr(0, line);
  }
  // The port that the kernel gave a client.
  static std::string PortOf(const Peer& client) {
    return std::to_string(net::LocalAddress(client.fd())->port());
  }

  TestProxy proxy_;
  PeerListener upstream_;
};

TEST_F(UpstreamProxyProtocolTest, NamesTheClientAndWhereItHadConnectedTo) {
  Tell("V1");
  Peer client = proxy_.Connect();
  const std::string expected =
      "PROXY TCP4 127.0.0.1 127.0.0.1 " + PortOf(client) + " " + std::to_string(proxy_.http_port());
  EXPECT_EQ(TextHeader(client), expected);
  EXPECT_EQ(TextHeader(client), expected) << "and again on the next connection";
  Peer other = proxy_.Connect();
  EXPECT_NE(TextHeader(other), expected) << "another client";
}

TEST_F(UpstreamProxyProtocolTest, PassesOnWhatALoadBalancerSaid) {
  Tell("V1");
  BehindLoadBalancer();
  Peer first = proxy_.Connect();
  EXPECT_EQ(TextHeader(first, kFrom4) + "\r\n", kFrom4);
  Peer second = proxy_.Connect();
  EXPECT_EQ(TextHeader(second, kFrom6) + "\r\n", kFrom6);
}

TEST_F(UpstreamProxyProtocolTest, SaysItInBinary) {
  Tell("V2");
  BehindLoadBalancer();
  using namespace std::string_literals;
  const std::string v4 =
      "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\xc6\x33\x64\x01\x12\x67\x20\xfb"s;
  Peer first = proxy_.Connect();
  first.Send(std::string(kFrom4) + kGet);
  Peer server = upstream_.Accept();
  EXPECT_EQ(server.ReadExactly(v4.size()), v4);
  EXPECT_EQ(server.Read(16), "GET / HTTP/1.1\r\n");

  const std::string v6 =
      "\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24"
      "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x12\x67\x20\xfb"s;
  Peer second = proxy_.Connect();
  second.Send(std::string(kFrom6) + kGet);
  server = upstream_.Accept();
  EXPECT_EQ(server.ReadExactly(v6.size()), v6);
  EXPECT_EQ(server.Read(16), "GET / HTTP/1.1\r\n");
}

TEST_F(UpstreamProxyProtocolTest, AnAddressFromAFieldHasNoPort) {
  Tell("V1");
  proxy_.Apply(
      {"name: \"settings\" settings { forwarded_headers { trust_incoming: true trusted_cidrs: "
       "\"127.0.0.0/8\" } }"});
  Peer client = proxy_.Connect();
  client.Send("GET / HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-For: 2001:db8::9\r\n\r\n");
  Peer server = upstream_.Accept();
  const std::string head = server.ReadHead();
  EXPECT_EQ(head.substr(0, head.find("\r\n")),
            "PROXY TCP6 2001:db8::9 :: 0 " + std::to_string(proxy_.http_port()));
  server.Send(kOk);
  EXPECT_EQ(client.ReadResponse().status, 200);
}

TEST_F(UpstreamProxyProtocolTest, ItComesBeforeTls) {
  const auto certificate = MakeCertificate({"backend.example"});
  TlsEnd end({.chain = certificate.chain, .key = certificate.key});
  Tell("V1", "protocol: HTTPS");
  BehindLoadBalancer();
  Peer client = proxy_.Connect();
  client.Send(std::string(kFrom4) + kGet);
  Peer server = upstream_.Accept();
  EXPECT_EQ(server.ReadExactly(sizeof(kFrom4) - 1), kFrom4);
  ASSERT_TRUE(server.StartTls(end));
  server.ReadRequest();
  server.Send(kOk);
  EXPECT_EQ(client.ReadResponse().body, "ok");
}

TEST_F(UpstreamProxyProtocolTest, EachCallOverHttp2HasAConnectionOfItsOwn) {
  Tell("V1", "protocol: H2C");
  BehindLoadBalancer();
  Peer client = proxy_.Connect();
  client.Send(kFrom4);
  for (int i = 0; i < 2; ++i) {
    client.Send(kGet);
    Peer raw = upstream_.Accept();
    EXPECT_EQ(raw.ReadExactly(sizeof(kFrom4) - 1), kFrom4);
    Http2Peer server(std::move(raw));
    const Http2Peer::Request request = server.ReadRequest();
    server.Reply(request.stream);
    EXPECT_EQ(client.ReadResponse().body, "ok");
    while (server.Next().type != 0xff) {
    }
  }
}

TEST_F(UpstreamProxyProtocolTest, AnotherAttemptSaysItAgain) {
  Tell("V1");
  BehindLoadBalancer();
  Peer client = proxy_.Connect();
  client.Send(std::string(kFrom4) + kGet);
  upstream_.Accept().Abort();
  Peer server = upstream_.Accept();
  EXPECT_EQ(server.ReadExactly(sizeof(kFrom4) - 1), kFrom4);
  server.ReadRequest();
  server.Send(kOk);
  EXPECT_EQ(client.ReadResponse().status, 200);
  EXPECT_EQ(proxy_.Count(observe::CounterId::kUpstreamRetries), 1u);
}

}  // namespace
}  // namespace headgate::test
