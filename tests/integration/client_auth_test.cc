// Client certificates, the whole way: what a client shows in the handshake decides what its
// requests get.
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <chrono>
#include <cstdint>
#include <future>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/escaping.h"
#include "tests/support/certificates.h"
#include "tests/support/dataplane/http2_peer.h"
#include "tests/support/dataplane/test_proxy.h"
#include "tests/support/dataplane/tls_peer.h"

namespace headgate::test {
namespace {

using headgate::testing::MakeCertificate;
using headgate::testing::PemPair;
using observe::CounterId;

constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class ClientAuthTest : public ::testing::Test {
 protected:
  ClientAuthTest() {
    const PemPair server = MakeCertificate({"server"});
    proxy_.Apply({"name: \"cert/default\" certificate { chain_pem: \"" +
                      absl::CEscape(server.chain) + "\" key_pem: \"" + absl::CEscape(server.key) +
                      "\" }",
                  "name: \"cluster/c\" cluster { endpoints: \"endpoints/c\" }",
                  EndpointsText("endpoints/c", {upstream_.address()}), Trust(alice_)});
    Host("open.example", "");
    Host("closed.example", "client_auth { mode: REQUIRED secret: \"secret/ns/ca\" }");
  }

  static std::string Trust(const PemPair& ca) {
    return "name: \"secret/ns/ca\" secret_data { data { key: \"ca.crt\" value: \"" +
           absl::CEscape(ca.chain) + "\" } }";
  }

  void Host(const std::string& host, const std::string& fields) {
    const auto refused =
        proxy_.Apply({"name: \"vhost/" + host + "\" virtual_host { host: \"" + host +
                      "\" routes { match { prefix_path: \"/\" } forward { clusters { cluster: "
                      "\"cluster/c\" } } } " +
                      fields + " }"});
    EXPECT_TRUE(refused.empty()) << refused[0].reason;
  }

  // The answer to a request for `host` on a connection for `server_name`, `client` being who asks.
  Peer::Message Ask(const std::string& server_name, const std::string& host,
                    const PemPair* client = nullptr, const std::string& fields = "") {
    TlsPeer peer(proxy_.https_port(), {.server_name = server_name, .certificate = client});
    EXPECT_TRUE(peer.connected());
    peer.Send("GET / HTTP/1.1\r\nHost: " + host + "\r\n" + fields + "\r\n");
    auto response = std::async(std::launch::async, [&] { return peer.ReadResponse(); });
    // Whether it is ours to answer shows when there is an answer.
    while (response.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      if (!upstream_.HasConnection()) continue;
      Peer server = upstream_.Accept();
      request_ = server.ReadRequest();
      server.Send(kOk);
    }
    return response.get();
  }

  const PemPair alice_ = MakeCertificate({"alice"});
  const PemPair mallory_ = MakeCertificate({"mallory"});
  TestProxy proxy_;
  PeerListener upstream_;
  Peer::Message request_;  // as the upstream saw it
};

TEST_F(ClientAuthTest, LetsInWhoShowsATrustedCertificate) {
  const auto response = Ask("closed.example", "closed.example", &alice_,
                            "SSL-Client-Verify: forged\r\nssl-client-cert: forged\r\n");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(request_.Field("ssl-client-verify"), "SUCCESS");
  EXPECT_EQ(request_.Field("ssl-client-subject-dn"), "CN=alice");
  EXPECT_EQ(request_.Field("ssl-client-issuer-dn"), "CN=alice");
  EXPECT_EQ(request_.Field("ssl-client-cert"), "");
  EXPECT_EQ(request_.head.find("forged"), std::string::npos);
}

TEST_F(ClientAuthTest, TurnsAwayEverybodyElseAfterTheHandshake) {
  const auto none = Ask("closed.example", "closed.example");
  EXPECT_EQ(none.status, 400);
  EXPECT_NE(none.body.find("No required SSL certificate was sent"), std::string::npos);
  const auto wrong = Ask("closed.example", "closed.example", &mallory_);
  EXPECT_EQ(wrong.status, 400);
  EXPECT_NE(wrong.body.find("The SSL certificate error"), std::string::npos);
  EXPECT_EQ(proxy_.Count(CounterId::kDownstreamClientCertificatesRefused), 2u);
}

TEST_F(ClientAuthTest, SendsThemToTheErrorPage) {
  Host("closed.example",
       "client_auth { mode: REQUIRED secret: \"secret/ns/ca\" error_page: "
       "\"https://help.example/\" }");
  const auto response = Ask("closed.example", "closed.example");
  EXPECT_EQ(response.status, 302);
  EXPECT_EQ(response.Field("Location"), "https://help.example/");
}

TEST_F(ClientAuthTest, APathOfTheHostAnswersThem) {
  Host("closed.example",
       "client_auth { mode: REQUIRED secret: \"secret/ns/ca\" error_page: \"/help/%61?why=tls\" }");
  const auto ask = [this](const std::string& start, const PemPair* certificate,
                          const std::string& body = "") {
    TlsPeer peer(proxy_.https_port(),
                 {.server_name = "closed.example", .certificate = certificate});
    peer.Send(start + " HTTP/1.1\r\nHost: closed.example\r\n" +
              (body.empty() ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n") +
              "\r\n" + body);
    Peer server = upstream_.Accept();
    request_ = server.ReadRequest();
    server.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    return peer.ReadResponse().status;
  };
  EXPECT_EQ(ask("POST /secret?a=b", nullptr, "body"), 200);
  EXPECT_TRUE(request_.head.starts_with("GET /help/%61?why=tls HTTP/1.1\r\n")) << request_.head;
  EXPECT_EQ(request_.Field("Content-Length"), "");
  EXPECT_EQ(request_.Field("ssl-client-verify"), "NONE");
  EXPECT_EQ(ask("GET /secret", &mallory_), 200);
  EXPECT_TRUE(request_.head.starts_with("GET /help/%61?why=tls HTTP/1.1\r\n")) << request_.head;
  EXPECT_TRUE(request_.Field("ssl-client-verify").starts_with("FAILED")) << request_.head;
  EXPECT_EQ(ask("GET /secret", &alice_), 200);
  EXPECT_TRUE(request_.head.starts_with("GET /secret HTTP/1.1\r\n")) << request_.head;
  EXPECT_EQ(proxy_.Count(CounterId::kDownstreamClientCertificatesRefused), 2u);
}

TEST_F(ClientAuthTest, APathOfTheHostIsNoWayAroundItsOtherRules) {
  const std::string rules =
      "client_auth { mode: REQUIRED secret: \"secret/ns/ca\" error_page: \"/help\" ";
  Host("closed.example", rules + "match_subject: \"CN=alice\" }");
  const auto ask = [this](const PemPair* certificate) {
    TlsPeer peer(proxy_.https_port(),
                 {.server_name = "closed.example", .certificate = certificate});
    peer.Send("GET / HTTP/1.1\r\nHost: closed.example\r\n\r\n");
    return peer.ReadResponse().status;
  };
  EXPECT_EQ(ask(nullptr), 403);
  EXPECT_EQ(ask(&mallory_), 403);
  Host("closed.example",
       rules +
           "} routes { match { exact_path: \"/help\" } fixed_response { status: 418 } "
           "policy { access { denied_cidrs: \"127.0.0.1\" } } }");
  EXPECT_EQ(ask(nullptr), 403) << "who may see the page is for its route to say";
  Host("closed.example",
       rules + "} routes { match { exact_path: \"/help\" } fixed_response { status: 418 } }");
  EXPECT_EQ(ask(nullptr), 418);
}

TEST_F(ClientAuthTest, AConnectionForAnotherHostGets421) {
  EXPECT_EQ(Ask("open.example", "closed.example", &alice_).status, 421);
  EXPECT_EQ(Ask("closed.example", "open.example", &alice_).status, 421);
  EXPECT_EQ(Ask("", "closed.example", &alice_).status, 421);
  EXPECT_EQ(proxy_.Count(CounterId::kDownstreamMisdirected), 3u);
  EXPECT_EQ(Ask("other.example", "open.example").status, 200)
      << "where nobody asks, nothing is compared";
}

TEST_F(ClientAuthTest, AStreamForAnotherHostGets421) {
  Peer transport = Peer::Connect(proxy_.https_port());
  ASSERT_TRUE(transport.StartTlsAsClient("open.example", "h2"));
  Http2Peer client = Http2Peer::Client(std::move(transport));
  const auto ask = [&client](int32_t stream, const char* host) {
    client.SendHeaders(
        stream, {{":method", "GET"}, {":scheme", "https"}, {":path", "/"}, {":authority", host}},
        true);
  };
  ask(1, "closed.example");
  EXPECT_EQ(client.ReadRequest().fields.at(":status"), "421");
  ask(3, "open.example");
  Peer server = upstream_.Accept();
  server.ReadRequest();
  server.Send(kOk);
  EXPECT_EQ(client.ReadRequest().fields.at(":status"), "200");
  EXPECT_EQ(proxy_.Count(CounterId::kDownstreamMisdirected), 1u);
}

// A ticket holds who the client was, under the rules of its host.
TEST_F(ClientAuthTest, ASessionOfOneHostIsOfNoUseForAnother) {
  Host("other.example", "client_auth { mode: REQUIRED secret: \"secret/ns/ca\" }");
  const std::pair<const char*, const char*> cases[] = {{"closed.example", "other.example"},
                                                       {"closed.example", "open.example"},
                                                       {"open.example", "closed.example"},
                                                       {"closed.example", ""}};
  for (const auto& [from, to] : cases) {
    TlsPeer first(proxy_.https_port(), {.server_name = from, .certificate = &alice_});
    EXPECT_NE(first.Get("nobody.example").status, 200);
    SSL_SESSION* session = first.TakeSession();
    const TlsPeer second(proxy_.https_port(), {.server_name = to, .resume = session});
    EXPECT_FALSE(second.resumed()) << from << " for " << to;
    SSL_SESSION_free(session);
  }
  EXPECT_EQ(proxy_.Count(CounterId::kDownstreamTlsResumptions), 0u);
}

TEST_F(ClientAuthTest, AWildcardHostIsOneHost) {
  Host("*.closed.example", "client_auth { mode: REQUIRED secret: \"secret/ns/ca\" }");
  EXPECT_EQ(Ask("a.closed.example", "b.closed.example", &alice_).status, 200);
  EXPECT_EQ(Ask("a.closed.example", "closed.example", &alice_).status, 421);
}

TEST_F(ClientAuthTest, TheRulesOfAWildcardDoNotCoverANamedHost) {
  Host("*.example", "client_auth { mode: REQUIRED secret: \"secret/ns/ca\" }");
  EXPECT_EQ(Ask("open.example", "open.example").status, 200);
  EXPECT_EQ(Ask("x.example", "x.example").status, 400);
}

TEST_F(ClientAuthTest, OptionalMeansGoodOrNone) {
  Host("closed.example", "client_auth { mode: OPTIONAL secret: \"secret/ns/ca\" }");
  EXPECT_EQ(Ask("closed.example", "closed.example").status, 200);
  EXPECT_EQ(request_.Field("ssl-client-verify"), "NONE");
  EXPECT_EQ(Ask("closed.example", "closed.example", &mallory_).status, 400);
}

TEST_F(ClientAuthTest, OptionalNoCaTellsTheUpstreamWhatIsWrong) {
  Host("closed.example",
       "client_auth { mode: OPTIONAL_NO_CA secret: \"secret/ns/ca\" pass_certificate: true }");
  EXPECT_EQ(Ask("closed.example", "closed.example", &mallory_).status, 200);
  EXPECT_TRUE(request_.Field("ssl-client-verify").starts_with("FAILED:")) << request_.head;
  EXPECT_EQ(request_.Field("ssl-client-subject-dn"), "CN=mallory");
  EXPECT_TRUE(request_.Field("ssl-client-cert").starts_with("-----BEGIN%20CERTIFICATE-----%0A"))
      << request_.head;
}

TEST_F(ClientAuthTest, OffAsksForNothing) {
  Host("closed.example", "client_auth { mode: OFF }");
  EXPECT_EQ(Ask("closed.example", "closed.example").status, 200);
}

TEST_F(ClientAuthTest, TheSubjectMustMatch) {
  Host("closed.example",
       "client_auth { mode: REQUIRED secret: \"secret/ns/ca\" match_subject: \"CN=ali\" }");
  EXPECT_EQ(Ask("closed.example", "closed.example", &alice_).status, 200);
  Host("closed.example",
       "client_auth { mode: REQUIRED secret: \"secret/ns/ca\" match_subject: \"CN=bob\" }");
  const auto response = Ask("closed.example", "closed.example", &alice_);
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(response.body, "client certificate unauthorized");
  Peer plain = proxy_.Connect();
  plain.Send("GET / HTTP/1.1\r\nHost: closed.example\r\n\r\n");
  EXPECT_EQ(plain.ReadResponse().status, 403) << "plain HTTP has no subject";
}

TEST_F(ClientAuthTest, WhatCannotBeVerifiedIsClosedNotOpen) {
  proxy_.Apply({}, {"secret/ns/ca"});
  EXPECT_EQ(Ask("closed.example", "closed.example", &alice_).status, 403);
  Peer plain = proxy_.Connect();
  plain.Send("GET / HTTP/1.1\r\nHost: closed.example\r\n\r\n");
  EXPECT_EQ(plain.ReadResponse().status, 403);
  EXPECT_EQ(Ask("open.example", "open.example").status, 200);
  Host("closed.example", "client_auth { }");
  EXPECT_EQ(Ask("closed.example", "closed.example", &alice_).status, 403);
}

TEST_F(ClientAuthTest, ANewCaCountsAtOnce) {
  TlsPeer held(proxy_.https_port(), {.server_name = "closed.example", .certificate = &alice_});
  SSL_SESSION* session = nullptr;
  {
    TlsPeer peer(proxy_.https_port(), {.server_name = "closed.example", .certificate = &alice_});
    peer.Send("GET / HTTP/1.1\r\nHost: closed.example\r\n\r\n");
    Peer server = upstream_.Accept();
    server.ReadRequest();
    server.Send(kOk);
    EXPECT_EQ(peer.ReadResponse().status, 200);
    session = peer.TakeSession();
  }
  proxy_.Apply({Trust(mallory_)});
  EXPECT_EQ(held.Get("closed.example").status, 421) << "what was verified under the old CA";
  EXPECT_EQ(Ask("closed.example", "closed.example", &alice_).status, 400);
  EXPECT_EQ(Ask("closed.example", "closed.example", &mallory_).status, 200);
  TlsPeer resumed(proxy_.https_port(), {.server_name = "closed.example", .resume = session});
  EXPECT_TRUE(resumed.connected());
  EXPECT_FALSE(resumed.resumed()) << "a session of the old rules";
  SSL_SESSION_free(session);
}

TEST_F(ClientAuthTest, AResumedSessionKeepsItsClient) {
  SSL_SESSION* session = nullptr;
  for (const bool again : {false, true}) {
    TlsPeer peer(proxy_.https_port(), {.server_name = "closed.example",
                                       .certificate = again ? nullptr : &alice_,
                                       .resume = session});
    EXPECT_EQ(peer.resumed(), again);
    peer.Send("GET / HTTP/1.1\r\nHost: closed.example\r\n\r\n");
    Peer server = upstream_.Accept();
    EXPECT_EQ(server.ReadRequest().Field("ssl-client-subject-dn"), "CN=alice");
    server.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    EXPECT_EQ(peer.ReadResponse().status, 200);
    if (!again) session = peer.TakeSession();
  }
  EXPECT_EQ(proxy_.Count(CounterId::kDownstreamTlsResumptions), 1u);
  SSL_SESSION_free(session);
}

TEST_F(ClientAuthTest, RevocationListsAreFollowed) {
  const auto refused = proxy_.Apply(
      {"name: \"secret/ns/ca\" secret_data { data { key: \"ca.crt\" value: \"" +
       absl::CEscape(alice_.chain) + "\" } data { key: \"ca.crl\" value: \"garbage\" } }"});
  EXPECT_TRUE(refused.empty());
  EXPECT_EQ(Ask("closed.example", "closed.example", &alice_).status, 403)
      << "a list that cannot be read";
}

}  // namespace
}  // namespace headgate::test
