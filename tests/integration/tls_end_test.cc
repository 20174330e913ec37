// How connections with TLS end: the peer is told (RFC 8446 section 6.1), or it could not tell the
// end from a cut, and many would not resume the session.
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "absl/strings/escaping.h"
#include "tests/support/certificates.h"
#include "tests/support/dataplane/test_proxy.h"
#include "tests/support/dataplane/tls_peer.h"

namespace headgate::test {
namespace {

constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class TlsEndTest : public ::testing::Test {
 protected:
  TlsEndTest() {
    proxy_.Route("a.example", {upstream_.address()});
    proxy_.Apply({"name: \"cert/default\" certificate { chain_pem: \"" +
                  absl::CEscape(certificate_.chain) + "\" key_pem: \"" +
                  absl::CEscape(certificate_.key) + "\" }"});
  }

  // The answer to a request of `client`, whose upstream says `answer` and then ends.
  Peer::Message Ask(TlsPeer& client, const std::string& request, const std::string& answer) {
    client.Send(request);
    Peer server = upstream_.Accept();
    server.ReadRequest();
    server.Send(answer);
    return client.ReadResponse();
  }
  static std::string Get(const std::string& fields = "", const std::string& version = "1.1") {
    return "GET / HTTP/" + version + "\r\nHost: a.example\r\n" + fields + "\r\n";
  }
  TlsPeerOptions Options(SSL_SESSION* resume = nullptr) {
    return {.server_name = "a.example", .resume = resume};
  }

  const headgate::testing::PemPair certificate_ = headgate::testing::MakeCertificate({"a.example"});
  TestProxy proxy_;
  PeerListener upstream_;
};

TEST_F(TlsEndTest, AClientThatAskedForItIsTold) {
  TlsPeer client(proxy_.https_port(), Options());
  EXPECT_EQ(Ask(client, Get("Connection: close\r\n"), kOk).body, "ok");
  EXPECT_TRUE(client.EndsOrderly());
}

TEST_F(TlsEndTest, TheSessionOfAConnectionThatWeEndedIsResumed) {
  SSL_SESSION* session = nullptr;
  for (const bool resumed : {false, true, true}) {
    TlsPeer client(proxy_.https_port(), Options(session));
    EXPECT_EQ(client.resumed(), resumed);
    EXPECT_EQ(Ask(client, Get("Connection: close\r\n"), kOk).body, "ok");
    SSL_SESSION_free(session);
    session = client.TakeSession();
    EXPECT_TRUE(client.EndsOrderly());
  }
  SSL_SESSION_free(session);
}

TEST_F(TlsEndTest, ABodyUntilTheEndIsWholeOnlyWhenTheEndIsAnnounced) {
  for (const bool cut : {false, true}) {
    TlsPeer client(proxy_.https_port(), Options());
    client.Send(Get("", "1.0"));
    Peer server = upstream_.Accept();
    server.ReadRequest();
    server.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n");
    const Peer::Message response = client.ReadResponse();
    EXPECT_EQ(response.Field("Content-Length"), "");
    // All that was sent is read before the end, or its rest would pass for an end without notice.
    EXPECT_EQ(response.body.empty() ? client.ReadSome() : response.body, "some");
    if (cut) {
      server.Abort();
    } else {
      server.Send("0\r\n\r\n");
    }
    EXPECT_EQ(client.EndsOrderly(), !cut);
  }
}

TEST_F(TlsEndTest, AnIdleConnectionIsToldWhenItsTimeIsOver) {
  proxy_.Apply({"name: \"settings\" settings { timeouts { client_idle { nanos: 50000000 } } }"});
  TlsPeer client(proxy_.https_port(), Options());
  EXPECT_EQ(Ask(client, Get(), kOk).body, "ok");
  EXPECT_TRUE(client.EndsOrderly());
}

TEST_F(TlsEndTest, AnIdleConnectionIsToldThatWeDrain) {
  TlsPeer client(proxy_.https_port(), Options());
  EXPECT_EQ(Ask(client, Get(), kOk).body, "ok");
  std::thread drain([&] { EXPECT_TRUE(proxy_.pool().Drain(std::chrono::seconds(10))); });
  EXPECT_TRUE(client.EndsOrderly());
  drain.join();
}

TEST_F(TlsEndTest, AnUpstreamIsToldThatItsIdleConnectionEnds) {
  const TlsEndOptions options{.chain = certificate_.chain, .key = certificate_.key};
  TlsEnd end(options);
  proxy_.Apply(
      {"name: \"settings\" settings { timeouts { upstream_idle { nanos: 50000000 } } }",
       "name: \"cluster/test/a.example/80\" cluster { endpoints: \"endpoints/test/a.example/80\" "
       "protocol: HTTPS tls { } }"});
  Peer client = proxy_.Connect();
  client.Send(Get());
  Peer server = upstream_.Accept();
  ASSERT_TRUE(server.StartTls(end));
  server.ReadRequest();
  server.Send(kOk);
  EXPECT_EQ(client.ReadResponse().body, "ok");
  EXPECT_TRUE(server.Ended());
  EXPECT_NE(SSL_get_shutdown(server.tls()) & SSL_RECEIVED_SHUTDOWN, 0);
}

}  // namespace
}  // namespace headgate::test
