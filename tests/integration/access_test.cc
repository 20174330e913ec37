// What a request must pass before its route is followed: addresses of clients, and where that
// stands among the other steps.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/dataplane/reply_server.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::test {
namespace {

class AccessTest : public ::testing::Test {
 protected:
  // Clients are known by what they say of themselves.
  AccessTest() {
    proxy_.Apply(
        {"name: \"settings\" settings { forwarded_headers { trust_incoming: true trusted_cidrs: "
         "\"127.0.0.0/8\" } }"});
  }

  void Policy(const std::string& access, const std::string& more = "") {
    proxy_.Route("a.example", {upstream_.address()},
                 "policy { access { " + access + " } " + more + " }");
  }

  // `fields` end with a line end. The address may be empty: the peer's.
  Peer::Message Get(const std::string& address, const std::string& fields = "") {
    Peer client = proxy_.Connect();
    std::string head = "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n" + fields;
    if (!address.empty()) head += "X-Forwarded-For: " + address + "\r\n";
    client.Send(head + "\r\n");
    return client.ReadResponse();
  }
  int StatusFor(const std::string& address) { return Get(address).status; }

  TestProxy proxy_;
  ReplyServer upstream_{"up"};
};

TEST_F(AccessTest, AddressesThatAreNotAllowedAreForbidden) {
  Policy("allowed_cidrs: \"10.0.0.0/8\" allowed_cidrs: \"2001:db8::/32\"");
  EXPECT_EQ(StatusFor("10.1.2.3"), 200);
  EXPECT_EQ(StatusFor("2001:db8::7"), 200);
  EXPECT_EQ(StatusFor("::ffff:10.9.9.9"), 200);
  EXPECT_EQ(upstream_.requests(), 3u);
  const Peer::Message forbidden = Get("11.1.2.3");
  EXPECT_EQ(forbidden.status, 403);
  EXPECT_NE(forbidden.body.find("403 Forbidden"), std::string::npos);
  EXPECT_EQ(StatusFor("2001:db9::7"), 403);
  EXPECT_EQ(StatusFor(""), 403) << "the peer itself";
  EXPECT_EQ(upstream_.requests(), 3u);
}

TEST_F(AccessTest, DeniedAddressesAreForbiddenEvenIfAllowed) {
  Policy("denied_cidrs: \"10.1.0.0/16\" allowed_cidrs: \"10.0.0.0/8\"");
  EXPECT_EQ(StatusFor("10.1.2.3"), 403);
  EXPECT_EQ(StatusFor("10.2.2.3"), 200);
  Policy("denied_cidrs: \"10.1.0.0/16\"");
  EXPECT_EQ(StatusFor("10.1.2.3"), 403);
  EXPECT_EQ(StatusFor("99.9.9.9"), 200);
}

TEST_F(AccessTest, AnAddressThatNobodyVouchesForIsNotTheClients) {
  proxy_.Apply({"name: \"settings\" settings { }"});
  Policy("allowed_cidrs: \"10.0.0.0/8\"");
  EXPECT_EQ(StatusFor("10.1.2.3"), 403);
  Policy("allowed_cidrs: \"127.0.0.1\"");
  EXPECT_EQ(StatusFor("10.1.2.3"), 200);
}

TEST_F(AccessTest, RedirectsToHttpsComeBefore) {
  Policy("allowed_cidrs: \"10.0.0.0/8\"", "https_redirect { mode: ALWAYS }");
  EXPECT_EQ(StatusFor("11.1.2.3"), 308);
}

TEST_F(AccessTest, BodiesThatAreTooLargeComeBeforeRedirects) {
  Policy("allowed_cidrs: \"10.0.0.0/8\"",
         "https_redirect { mode: ALWAYS } max_request_body_bytes: 10");
  Peer client = proxy_.Connect();
  client.Send("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 11\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().status, 413);
}

TEST_F(AccessTest, MissingEndpointsComeBefore) {
  proxy_.Route("a.example", {}, "policy { access { allowed_cidrs: \"10.0.0.0/8\" } }");
  EXPECT_EQ(StatusFor("11.1.2.3"), 503);
  EXPECT_EQ(StatusFor("10.1.2.3"), 503);
}

TEST_F(AccessTest, RoutesThatAnswerByThemselvesAskToo) {
  proxy_.Apply(
      {"name: \"vhost/a.example\" virtual_host { host: \"a.example\" routes { match { prefix_path: "
       "\"/\" } "
       "fixed_response { status: 404 } policy { access { allowed_cidrs: \"10.0.0.0/8\" } } } }"});
  EXPECT_EQ(StatusFor("10.1.2.3"), 404);
  EXPECT_EQ(StatusFor("11.1.2.3"), 403);
}

TEST_F(AccessTest, APolicyThatCannotBeReadLeavesTheLastOneInForce) {
  Policy("allowed_cidrs: \"10.0.0.0/8\"");
  const auto refused =
      proxy_.Apply({"name: \"vhost/a.example\" virtual_host { host: \"a.example\" routes { match { "
                    "prefix_path: \"/\" } fixed_response { status: 404 } policy { access { "
                    "allowed_cidrs: \"10.0.0.0/33\" } } } }"});
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_EQ(refused[0].reason, "routes[0].policy.access.allowed_cidrs[0]: is not a CIDR");
  EXPECT_EQ(StatusFor("11.1.2.3"), 403);
}

}  // namespace
}  // namespace headgate::test
