// What the data plane says of HTTPS: redirects to it, and Strict-Transport-Security.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/escaping.h"
#include "tests/support/certificates.h"
#include "tests/support/dataplane/test_proxy.h"
#include "tests/support/dataplane/tls_peer.h"

namespace headgate::test {
namespace {

class HttpsRedirectTest : public ::testing::Test {
 protected:
  std::string LocationOf(const std::string& target) {
    Peer client = proxy_.Connect();
    client.Send("GET " + target + " HTTP/1.1\r\nHost: a.example\r\n\r\n");
    const Peer::Message response = client.ReadResponse();
    EXPECT_EQ(response.status, 308);
    return response.Field("Location");
  }

  TestProxy proxy_;
  PeerListener upstream_;
};

TEST_F(HttpsRedirectTest, LeavesOutAFinalSlashUnlessToldToKeepIt) {
  proxy_.Route("a.example", {upstream_.address()}, "policy { https_redirect { mode: ALWAYS } }");
  EXPECT_EQ(LocationOf("/docs/"), "https://a.example/docs");
  EXPECT_EQ(LocationOf("/docs?q=/"), "https://a.example/docs?q=");
  EXPECT_EQ(LocationOf("/"), "https://a.example");
  proxy_.Route("a.example", {upstream_.address()},
               "policy { https_redirect { mode: ALWAYS keep_final_slash: true } }");
  EXPECT_EQ(LocationOf("/docs/"), "https://a.example/docs/");
  EXPECT_EQ(LocationOf("/"), "https://a.example/");
}

TEST_F(HttpsRedirectTest, NamesThePortIfToldTo) {
  proxy_.Apply({"name: \"settings\" settings { port_in_https_redirects: true }"});
  proxy_.Route("a.example", {upstream_.address()}, "policy { https_redirect { mode: ALWAYS } }");
  EXPECT_EQ(LocationOf("/docs"),
            "https://a.example:" + std::to_string(proxy_.https_port()) + "/docs");
}

TEST_F(HttpsRedirectTest, ThoseWithinAHostMayBeRelative) {
  const std::string host =
      "name: \"vhost/a.example\" virtual_host { host: \"a.example\" routes { match { prefix_path: "
      "\"/\" } redirect { "
      "status: 308 location: \"/new\" keep_query: true } } }";
  proxy_.Apply({host});
  EXPECT_EQ(LocationOf("/old?q"), "http://a.example/new?q");
  proxy_.Apply({"name: \"settings\" settings { relative_redirects: true }"});
  EXPECT_EQ(LocationOf("/old?q"), "/new?q");
}

TEST_F(HttpsRedirectTest, ARouteMaySayOtherwise) {
  proxy_.Apply(
      {"name: \"settings\" settings { port_in_https_redirects: true relative_redirects: true }"});
  proxy_.Route("a.example", {upstream_.address()},
               "policy { https_redirect { mode: ALWAYS } port_in_https_redirects: false }");
  EXPECT_EQ(LocationOf("/docs"), "https://a.example/docs");
  proxy_.Apply(
      {R"(name: "vhost/a.example" virtual_host { host: "a.example" routes { match { prefix_path: "/" }
                   policy { relative_redirects: false } redirect { status: 308 location: "/new" } } })"});
  EXPECT_EQ(LocationOf("/old"), "http://a.example/new");
}

TEST_F(HttpsRedirectTest, TransportSecurityIsSaidOverTlsAloneAndInPlaceOfTheUpstreams) {
  const auto certificate = headgate::testing::MakeCertificate({"a.example"});
  proxy_.Route("a.example", {upstream_.address()});
  proxy_.Apply({"name: \"settings\" settings { strict_transport_security: \"max-age=5\" }",
                "name: \"cert/default\" certificate { chain_pem: \"" +
                    absl::CEscape(certificate.chain) + "\" key_pem: \"" +
                    absl::CEscape(certificate.key) + "\" }"});
  const auto answer = [&] {
    Peer server = upstream_.Accept();
    server.ReadRequest();
    server.Send(
        "HTTP/1.1 200 OK\r\nStrict-Transport-Security: max-age=1\r\nContent-Length: "
        "0\r\nConnection: close\r\n\r\n");
  };
  TlsPeer client(proxy_.https_port(), {.server_name = "a.example"});
  ASSERT_TRUE(client.connected());
  client.Send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
  answer();
  const Peer::Message proxied = client.ReadResponse();
  EXPECT_EQ(proxied.Field("Strict-Transport-Security"), "max-age=5");
  EXPECT_EQ(proxied.head.find("max-age=1"), std::string::npos);
  EXPECT_EQ(client.Get("unknown.example").Field("Strict-Transport-Security"), "max-age=5")
      << "of our own answers too";

  Peer plain = proxy_.Connect();
  plain.Send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
  answer();
  EXPECT_EQ(plain.ReadResponse().Field("Strict-Transport-Security"), "max-age=1");
}

}  // namespace
}  // namespace headgate::test
