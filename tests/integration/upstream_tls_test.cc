// TLS between the proxy and an endpoint, which is scripted.

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/escaping.h"
#include "tests/support/certificates.h"
#include "tests/support/dataplane/peer.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::test {
namespace {

using headgate::testing::MakeCertificate;
using headgate::testing::PemPair;
using observe::CounterId;

constexpr char kGet[] = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class UpstreamTlsTest : public ::testing::Test {
 protected:
  // `tls`: the fields of UpstreamTls in text format.
  void UseTls(const std::string& tls) {
    proxy.Route("a.example", {listener.address()});
    const auto refused =
        proxy.Apply({"name: \"cluster/test/a.example/80\" cluster { endpoints: "
                     "\"endpoints/test/a.example/80\" protocol: HTTPS "
                     "tls {" +
                     tls + "} }"});
    for (const auto& refusal : refused) ADD_FAILURE() << refusal.reason;
  }

  void SetSecret(const std::string& data) {
    const auto refused = proxy.Apply({"name: \"secret/test/s\" secret_data {" + data + "}"});
    for (const auto& refusal : refused) ADD_FAILURE() << refusal.reason;
  }
  static std::string Data(const std::string& key, const std::string& value) {
    return " data { key: \"" + key + "\" value: \"" + absl::CEscape(value) + "\" }";
  }

  // One exchange over a new connection; the status the client saw.
  int Exchange(TlsEnd& end) {
    Peer client = proxy.Connect();
    client.Send(kGet);
    server = listener.Accept();
    if (!server.StartTls(end)) {
      server.Close();
      // The proxy may try again where the handshake failed.
      while (FirstReadable({client.fd(), listener.fd()}) == 1) listener.Accept().StartTls(end);
      return client.ReadResponse().status;
    }
    server.ReadRequest();
    server.Send(kOk);
    return client.ReadResponse().status;
  }
  std::string ServerName() {
    const char* name = SSL_get_servername(server.tls(), TLSEXT_NAMETYPE_host_name);
    return name != nullptr ? name : "";
  }

  TestProxy proxy;
  PeerListener listener;
  Peer server;
  const PemPair certificate = MakeCertificate({"backend.example"});
  const PemPair own = MakeCertificate({"proxy.example"});
};

TEST_F(UpstreamTlsTest, SpeaksTlsAndKeepsTheConnection) {
  TlsEnd end({.chain = certificate.chain, .key = certificate.key, .alpn = "http/1.1"});
  UseTls("");
  EXPECT_EQ(Exchange(end), 200);
  EXPECT_EQ(ServerName(), "");  // none unless asked for
  Peer client = proxy.Connect();
  client.Send(kGet);
  server.ReadRequest();
  server.Send(kOk);
  EXPECT_EQ(client.ReadResponse().body, "ok");
  EXPECT_EQ(proxy.Count(CounterId::kUpstreamConnections), 1u);
}

TEST_F(UpstreamTlsTest, SendsTheServerName) {
  TlsEnd end({.chain = certificate.chain, .key = certificate.key});
  UseTls("server_name: \"backend.example\"");
  EXPECT_EQ(Exchange(end), 200);
  EXPECT_EQ(ServerName(), "backend.example");
}

TEST_F(UpstreamTlsTest, ResumesTheLastSession) {
  TlsEnd end({.chain = certificate.chain, .key = certificate.key});
  UseTls("");
  EXPECT_EQ(Exchange(end), 200);
  EXPECT_FALSE(SSL_session_reused(server.tls()));
  server.Close();
  proxy.WaitForClosedUpstreams();
  EXPECT_EQ(Exchange(end), 200);
  EXPECT_TRUE(SSL_session_reused(server.tls()));
  EXPECT_EQ(proxy.Count(CounterId::kUpstreamTlsResumptions), 1u);
}

TEST_F(UpstreamTlsTest, VerifiesAuthorityAndName) {
  TlsEnd end({.chain = certificate.chain, .key = certificate.key});
  SetSecret(Data("ca.crt", certificate.chain));
  UseTls("verify: true verify_name: \"backend.example\" secret: \"secret/test/s\"");
  EXPECT_EQ(Exchange(end), 200);
  server.Close();

  UseTls("verify: true verify_name: \"other.example\" secret: \"secret/test/s\"");
  EXPECT_EQ(Exchange(end), 502);
  EXPECT_GE(proxy.Count(CounterId::kUpstreamTlsFailures), 1u);

  // Another authority, by rotation of the secret.
  UseTls("verify: true verify_name: \"backend.example\" secret: \"secret/test/s\"");
  SetSecret(Data("ca.crt", own.chain));
  EXPECT_EQ(Exchange(end), 502);
  SetSecret(Data("ca.crt", certificate.chain));
  EXPECT_EQ(Exchange(end), 200);
}

TEST_F(UpstreamTlsTest, TheSystemsAuthoritiesAreTheDefault) {
  TlsEnd end({.chain = certificate.chain, .key = certificate.key});
  UseTls("verify: true verify_name: \"backend.example\"");
  EXPECT_EQ(Exchange(end), 502);
}

TEST_F(UpstreamTlsTest, ShowsItsCertificateToWhoAsks) {
  TlsEnd end({.chain = certificate.chain,
              .key = certificate.key,
              .client_ca = own.chain,
              .max_version = TLS1_2_VERSION});
  UseTls("");
  EXPECT_EQ(Exchange(end), 502);
  SetSecret(Data("tls.crt", own.chain) + Data("tls.key", own.key));
  UseTls("secret: \"secret/test/s\"");
  EXPECT_EQ(Exchange(end), 200);
}

TEST_F(UpstreamTlsTest, WithoutItsSecretAClusterHasNoEndpoints) {
  TlsEnd end({.chain = certificate.chain, .key = certificate.key});
  UseTls("secret: \"secret/test/s\"");
  Peer client = proxy.Connect();
  client.Send(kGet);
  EXPECT_EQ(client.ReadResponse().status, 503);
  SetSecret(Data("ca.crt", certificate.chain));
  EXPECT_EQ(Exchange(end), 200);
  proxy.Apply({}, {"secret/test/s"});
  client.Send(kGet);
  EXPECT_EQ(client.ReadResponse().status, 503);
}

TEST_F(UpstreamTlsTest, ABrokenSecretKeepsItsLastGoodForm) {
  TlsEnd end({.chain = certificate.chain, .key = certificate.key});
  SetSecret(Data("ca.crt", certificate.chain));
  UseTls("verify: true verify_name: \"backend.example\" secret: \"secret/test/s\"");
  const auto refused =
      proxy.Apply({"name: \"secret/test/s\" secret_data {" + Data("ca.crt", "garbage") + "}"});
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_EQ(refused[0].reason, "data[ca.crt]: holds no PEM certificate");
  EXPECT_EQ(Exchange(end), 200);
}

TEST_F(UpstreamTlsTest, AnEndpointWithoutTlsIsABadGateway) {
  UseTls("");
  Peer client = proxy.Connect();
  client.Send(kGet);
  do {
    Peer plain = listener.Accept();
    plain.Send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
  } while (FirstReadable({client.fd(), listener.fd()}) == 1);
  EXPECT_EQ(client.ReadResponse().status, 502);
}

TEST_F(UpstreamTlsTest, RequestsOverTlsMayHaveAClusterOfTheirOwn) {
  proxy.Route("a.example", {listener.address()});
  const auto refused =
      proxy.Apply({R"(name: "vhost/a.example" virtual_host { host: "a.example" routes {
      match { prefix_path: "/" }
      forward { clusters { cluster: "cluster/test/a.example/80" tls_cluster: "cluster/test/none/80" } } } })"});
  EXPECT_TRUE(refused.empty());
  Peer client = proxy.Connect();
  client.Send(kGet);
  server = listener.Accept();
  server.ReadRequest();
  server.Send(kOk);
  EXPECT_EQ(client.ReadResponse().status, 200);
}

}  // namespace
}  // namespace headgate::test
