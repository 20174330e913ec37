// A second cluster that gets a part of a route's requests.

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/support/dataplane/peer.h"
#include "tests/support/dataplane/reply_server.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::test {
namespace {

class CanaryTest : public testing::Test {
 protected:
  void Serve(const std::string& canary, const std::string& policy = "",
             const std::string& balancing = "") {
    ASSERT_TRUE(
        proxy
            .Apply({R"(name: "vhost/a.example" virtual_host { host: "a.example" routes {
                                match { prefix_path: "/" } policy { canary { cluster: "cluster/c" )" +
                        canary + " } " + policy +
                        R"( } forward { clusters { cluster: "cluster/m" } } } })",
                    R"(name: "cluster/m" cluster { endpoints: "endpoints/m" log_name: "ns-m-80" )" +
                        balancing + "}",
                    R"(name: "cluster/c" cluster { endpoints: "endpoints/c" log_name: "ns-c-80" )" +
                        balancing + "}",
                    EndpointsText("endpoints/m", {main.address()}),
                    EndpointsText("endpoints/c", {canary_server.address()})})
            .empty());
  }

  // "main", "canary", or the status of another answer.
  std::string Ask(const std::string& fields = "") {
    Peer client = proxy.Connect();
    client.Send("GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n" + fields + "\r\n");
    last = client.ReadResponse();
    return last.status == 200 ? last.body : std::to_string(last.status);
  }

  ReplyServer main{"main"};
  ReplyServer canary_server{"canary"};
  TestProxy proxy;
  Peer::Message last;
};

TEST_F(CanaryTest, AHeaderDecides) {
  Serve(R"(header: "X-Canary")");
  EXPECT_EQ(Ask("X-Canary: always\r\n"), "canary");
  EXPECT_EQ(Ask("X-Canary: never\r\n"), "main");
  EXPECT_EQ(Ask("X-Canary: other\r\n"), "main");
  Serve(R"(header: "X-Canary" header_pattern: "^v[0-9]" weight: 0)");
  EXPECT_EQ(Ask("X-Canary: v7\r\n"), "canary");
  EXPECT_EQ(Ask("X-Canary: always\r\n"), "main");
  Serve(R"(header: "X-Canary" header_pattern: "(" weight: 100)");
  EXPECT_EQ(Ask("X-Canary: v7\r\n"), "main");
  EXPECT_EQ(Ask(), "canary");
}

TEST_F(CanaryTest, ACookieDecidesWhenNoHeaderDoes) {
  Serve(R"(header: "X-Canary" cookie: "canary" weight: 100)");
  EXPECT_EQ(Ask("Cookie: a=b; canary=never\r\n"), "main");
  EXPECT_EQ(Ask("Cookie: canary=maybe\r\n"), "canary");
  EXPECT_EQ(Ask("X-Canary: always\r\nCookie: canary=never\r\n"), "canary");
}

TEST_F(CanaryTest, TheWeightIsAShareOfAllOthers) {
  Serve("weight: 250 weight_total: 1000");
  int canaries = 0;
  for (int i = 0; i < 400; ++i) canaries += Ask() == "canary" ? 1 : 0;
  EXPECT_GT(canaries, 50);
  EXPECT_LT(canaries, 160);
  Serve("weight: 0");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Ask(), "main");
}

TEST_F(CanaryTest, WithoutEndpointsItGetsNothingAndDoesNotStandIn) {
  Serve("weight: 100");
  EXPECT_EQ(Ask(), "canary");
  ASSERT_TRUE(proxy.Apply({}, {"endpoints/c"}).empty());
  EXPECT_EQ(Ask(), "main");
  Serve("weight: 100");
  ASSERT_TRUE(proxy.Apply({}, {"endpoints/m"}).empty());
  EXPECT_EQ(Ask(), "503");
}

TEST_F(CanaryTest, ASessionStaysOnItsSide) {
  const char* const kSessions = R"(session_cookie { name: "s" path: "/" })";
  const char* const kAffinity = "balancing { affinity: BALANCED }";
  Serve(R"(header: "X-Canary")", kSessions, kAffinity);
  const auto begin = [&](const std::string& fields) {
    Ask(fields);
    const std::string cookie = last.Field("Set-Cookie");
    return "Cookie: " + cookie.substr(0, cookie.find(';')) + "\r\n";
  };
  const std::string of_main = begin("X-Canary: never\r\n");
  const std::string of_canary = begin("X-Canary: always\r\n");
  ASSERT_NE(of_main, of_canary);
  EXPECT_EQ(Ask(of_main + "X-Canary: always\r\n"), "main");
  EXPECT_EQ(Ask(of_canary + "X-Canary: never\r\n"), "canary");
  Serve(R"(header: "X-Canary" sessions_decided_anew: true)", kSessions, kAffinity);
  EXPECT_EQ(Ask(of_main + "X-Canary: always\r\n"), "canary");
  EXPECT_EQ(Ask(of_canary + "X-Canary: never\r\n"), "main");
}

TEST(CanaryLogTest, BothUpstreamsAreLoggedAndRoutesCanBeLeftOut) {
  const std::string path = ::testing::TempDir() + "/canary-access.log";
  std::remove(path.c_str());
  auto log = observe::AccessLogFile::Open(path);
  ASSERT_TRUE(log.ok());
  {
    ReplyServer main("main");
    ReplyServer canary("canary");
    TestProxy proxy(1, 1 << 20, {}, net::PipePool::kMaxPipes, log->get());
    ASSERT_TRUE(
        proxy
            .Apply({R"(name: "vhost/a.example" virtual_host { host: "a.example"
                                routes { match { prefix_path: "/" } policy { canary { cluster: "cluster/c" weight: 100 } }
                                  forward { clusters { cluster: "cluster/m" } } }
                                routes { match { prefix_path: "/quiet" } policy { no_access_log: true }
                                  forward { clusters { cluster: "cluster/m" } } } })",
                    R"(name: "cluster/m" cluster { endpoints: "endpoints/m" log_name: "ns-m-80" })",
                    R"(name: "cluster/c" cluster { endpoints: "endpoints/c" log_name: "ns-c-80" })",
                    EndpointsText("endpoints/m", {main.address()}),
                    EndpointsText("endpoints/c", {canary.address()})})
            .empty());
    Peer client = proxy.Connect();
    client.Send("GET /loud HTTP/1.1\r\nHost: a.example\r\n\r\n");
    EXPECT_EQ(client.ReadResponse().body, "canary");
    client.Send("GET /quiet HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(client.ReadResponse().body, "main");
  }
  (*log)->Flush();
  std::ifstream file(path);
  const std::string lines{std::istreambuf_iterator<char>(file), {}};
  EXPECT_NE(lines.find("[ns-m-80] [ns-c-80] "), std::string::npos) << lines;
  EXPECT_EQ(lines.find("/quiet"), std::string::npos) << lines;
}

}  // namespace
}  // namespace headgate::test
