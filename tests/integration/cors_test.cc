// Cross-origin requests: preflight answers, and the fields of every response.

#include <gtest/gtest.h>

#include <string>

#include "tests/support/dataplane/peer.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::test {
namespace {

constexpr const char* kRules =
    R"(allow_credentials: true allow_methods: "GET, PUT" allow_headers: "X-One" max_age: 600 )";

class CorsTest : public testing::Test {
 protected:
  // One route for everything, with `cors` and further fields of its policy.
  void Serve(const std::string& cors, const std::string& policy = "",
             const std::string& action = kForward) {
    ASSERT_TRUE(proxy
                    .Apply({R"(name: "vhost/a.example" virtual_host { host: "a.example" routes {
                                match { prefix_path: "/" } policy { cors { )" +
                                cors + " } " + policy + " } " + action + " } }",
                            R"(name: "cluster/a" cluster { endpoints: "endpoints/a" })",
                            EndpointsText("endpoints/a", {upstream.address()})})
                    .empty());
  }

  Peer::Message Ask(const std::string& method, const std::string& fields) {
    Peer client = proxy.Connect();
    client.Send(method + " /x HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n" + fields +
                "\r\n");
    return client.ReadResponse();
  }

  // The endpoint answers with `response`.
  Peer::Message AskThrough(const std::string& method, const std::string& fields,
                           const std::string& response) {
    Peer client = proxy.Connect();
    client.Send(method + " /x HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n" + fields +
                "\r\n");
    Peer server = upstream.Accept();
    server.ReadRequest();
    server.Send(response);
    return client.ReadResponse();
  }

  static constexpr const char* kForward = R"(forward { clusters { cluster: "cluster/a" } })";

  TestProxy proxy;
  PeerListener upstream;
};

constexpr const char* kOk =
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nVary: Accept\r\n"
    "Access-Control-Allow-Origin: http://upstream\r\n\r\n";

TEST_F(CorsTest, APreflightRequestIsAnsweredByTheProxy) {
  Serve(std::string(R"(origins: "https://app.example" expose_headers: "X-Two" )") + kRules);
  const Peer::Message answer = Ask("OPTIONS", "Origin: https://app.example\r\n");
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.Field("Access-Control-Allow-Origin"), "https://app.example");
  EXPECT_EQ(answer.Field("Access-Control-Allow-Credentials"), "true");
  EXPECT_EQ(answer.Field("Access-Control-Allow-Methods"), "GET, PUT");
  EXPECT_EQ(answer.Field("Access-Control-Allow-Headers"), "X-One");
  EXPECT_EQ(answer.Field("Access-Control-Expose-Headers"), "X-Two");
  EXPECT_EQ(answer.Field("Access-Control-Max-Age"), "600");
  EXPECT_EQ(answer.Field("Content-Type"), "text/plain charset=UTF-8");
  EXPECT_EQ(answer.Field("Vary"), "Origin");
}

TEST_F(CorsTest, EveryAnswerToAnAllowedOriginHasTheFieldsInPlaceOfTheEndpoints) {
  Serve(std::string(R"(origins: "https://*.app.example" )") + kRules);
  const Peer::Message answer = AskThrough("GET", "Origin: https://one.app.example\r\n", kOk);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Field("Access-Control-Allow-Origin"), "https://one.app.example");
  EXPECT_EQ(answer.head.find("http://upstream"), std::string::npos);
  EXPECT_NE(answer.head.find("Vary: Origin\r\n"), std::string::npos);
  EXPECT_NE(answer.head.find("Vary: Accept\r\n"), std::string::npos);
}

TEST_F(CorsTest, OtherOriginsGetNoFieldAndTheirOptionsGoToTheEndpoint) {
  Serve(std::string(R"(origins: "https://*.app.example" )") + kRules);
  const Peer::Message answer =
      AskThrough("OPTIONS", "Origin: https://app.example\r\n",
                 "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nAllow: GET\r\n\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Field("Allow"), "GET");
  EXPECT_EQ(answer.head.find("Access-Control"), std::string::npos);
  EXPECT_EQ(answer.head.find("Vary"), std::string::npos);
}

TEST_F(CorsTest, AnyOriginIsALiteralStarEvenWithoutOrigin) {
  Serve(std::string(R"(origins: "*" )") + kRules);
  EXPECT_EQ(Ask("OPTIONS", "").status, 204);
  const Peer::Message answer = AskThrough("GET", "", kOk);
  EXPECT_EQ(answer.Field("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(answer.Field("Vary"), "Accept");
}

TEST_F(CorsTest, AnswersOfOurOwnHaveTheFields) {
  Serve(std::string(R"(origins: "*" )") + kRules, "max_request_body_bytes: 1");
  const Peer::Message too_large = Ask("PUT", "Content-Length: 2\r\n");
  EXPECT_EQ(too_large.status, 413);
  EXPECT_EQ(too_large.Field("Access-Control-Allow-Origin"), "*");
  ASSERT_TRUE(proxy.Apply({}, {"endpoints/a"}).empty());
  const Peer::Message unavailable = Ask("GET", "");
  EXPECT_EQ(unavailable.status, 503);
  EXPECT_EQ(unavailable.Field("Access-Control-Allow-Methods"), "GET, PUT");
}

TEST_F(CorsTest, APreflightAnswerComesBeforeRedirects) {
  Serve(std::string(R"(origins: "*" )") + kRules, "https_redirect { mode: ALWAYS }",
        R"(redirect { status: 301 location: "/y" })");
  EXPECT_EQ(Ask("OPTIONS", "").status, 204);
  const Peer::Message moved = Ask("GET", "");
  EXPECT_EQ(moved.status, 301);
  EXPECT_EQ(moved.Field("Access-Control-Allow-Origin"), "*");
}

}  // namespace
}  // namespace headgate::test
