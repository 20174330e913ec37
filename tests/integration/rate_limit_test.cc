// How much a client may ask for, over all workers; and who is turned away whatever he asks for.
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/dataplane/reply_server.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::test {
namespace {

class RateLimitTest : public ::testing::Test {
 protected:
  RateLimitTest() { Settings(""); }

  void Settings(const std::string& more) {
    proxy_.Apply(
        {"name: \"settings\" settings { forwarded_headers { trust_incoming: true trusted_cidrs: "
         "\"127.0.0.0/8\" } " +
         more + " }"});
  }
  void Limits(const std::string& limits, const base::Address& upstream,
              const std::string& more = "") {
    proxy_.Route("a.example", {upstream},
                 "policy { access { limits { zone: \"n/i\" " + limits + " } " + more + " } }");
  }
  Peer Send(const std::string& address, const std::string& fields = "") {
    Peer client = proxy_.Connect();
    client.Send("GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n" + fields +
                (address.empty() ? "" : "X-Forwarded-For: " + address + "\r\n") + "\r\n");
    return client;
  }
  int StatusFor(const std::string& address, const std::string& fields = "") {
    return Send(address, fields).ReadResponse().status;
  }
  // Waits until every worker has done what was under way.
  void Settle() { proxy_.Count(observe::CounterId::kDownstreamRequests); }
  // How often each status comes for so many requests.
  std::map<int, int> Statuses(const std::string& address, int count) {
    std::map<int, int> statuses;
    for (int i = 0; i < count; ++i) ++statuses[StatusFor(address)];
    return statuses;
  }

  TestProxy proxy_{2};
  ReplyServer server_{"up"};
};

TEST_F(RateLimitTest, AClientAtRestHasItsBurstAndOneMoreWhicheverWorkerItMeets) {
  Limits("requests_per_minute: 1 minute_burst: 5", server_.address());
  EXPECT_EQ(Statuses("10.0.0.1", 20), (std::map<int, int>{{200, 6}, {503, 14}}));
  EXPECT_EQ(StatusFor("10.0.0.2"), 200) << "another client";
}

TEST_F(RateLimitTest, CountersSurviveChangesAndAnswerAsTheSettingsSay) {
  Limits("requests_per_minute: 1 minute_burst: 1", server_.address());
  EXPECT_EQ(Statuses("10.0.0.1", 3), (std::map<int, int>{{200, 2}, {503, 1}}));
  Settings("limit_request_status: 429");
  Limits("requests_per_minute: 1 minute_burst: 2", server_.address());
  EXPECT_EQ(Statuses("10.0.0.1", 3), (std::map<int, int>{{200, 1}, {429, 2}}));
}

TEST_F(RateLimitTest, ExemptClientsAndThoseWithoutAKeyAreNotCounted) {
  Limits("requests_per_minute: 1 exempt_cidrs: \"10.0.0.0/8\"", server_.address());
  EXPECT_EQ(Statuses("10.0.0.1", 5), (std::map<int, int>{{200, 5}}));
  EXPECT_EQ(Statuses("11.0.0.1", 3), (std::map<int, int>{{200, 1}, {503, 2}}));
  Settings("limit_key { parts { variable: HEADER name: \"x-client\" } }");
  EXPECT_EQ(StatusFor("11.0.0.1"), 200);
  EXPECT_EQ(StatusFor("11.0.0.1", "X-Client: a\r\n"), 200);
  EXPECT_EQ(StatusFor("11.0.0.2", "X-Client: a\r\n"), 503);
  EXPECT_EQ(StatusFor("11.0.0.2", "X-Client: b\r\n"), 200);
}

TEST_F(RateLimitTest, LimitsComeBeforeAccess) {
  Limits("requests_per_minute: 1", server_.address(), "allowed_cidrs: \"10.0.0.0/8\"");
  EXPECT_EQ(StatusFor("11.0.0.1"), 403);
  EXPECT_EQ(StatusFor("11.0.0.1"), 503);
}

TEST_F(RateLimitTest, ConnectionsCountWhileRequestsAreUnderWay) {
  Settings("limit_connection_status: 430");
  PeerListener upstream;
  Limits("connections: 2", upstream.address());
  std::vector<Peer> clients;
  std::vector<Peer> servers;
  for (int i = 0; i < 2; ++i) {
    clients.push_back(Send("10.0.0.1"));
    servers.push_back(upstream.Accept());
  }
  EXPECT_EQ(StatusFor("10.0.0.1"), 430);
  servers[0].ReadRequest();
  servers[0].Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(clients[0].ReadResponse().status, 200);
  EXPECT_TRUE(clients[0].Ended());
  Settle();
  Peer another = Send("10.0.0.1");
  Peer server = upstream.Accept();
  server.ReadRequest();
  another.Abort();
  EXPECT_TRUE(server.Ended()) << "gone with its client";
  Settle();
  Peer last = Send("10.0.0.1");
  EXPECT_TRUE(upstream.Accept().connected());
}

TEST_F(RateLimitTest, ABodyGoesNoFasterThanItMay) {
  PeerListener upstream;
  const auto receive = [&](const std::string& rate, size_t size) {
    proxy_.Route("a.example", {upstream.address()}, "policy { response_rate { " + rate + " } }");
    Peer client = Send("");
    Peer server = upstream.Accept();
    server.ReadRequest();
    server.Send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(size) +
                "\r\n\r\n" + std::string(size, 'x'));
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(client.ReadResponse().body, std::string(size, 'x'));
    return std::chrono::steady_clock::now() - start;
  };
  // What may go in the first second goes at once; the rest takes half a second more.
  EXPECT_GE(receive("bytes_per_second: 100000", 150'000), std::chrono::milliseconds(450));
  EXPECT_GE(receive("bytes_per_second: 100000 after_bytes: 100000", 250'000),
            std::chrono::milliseconds(450));
  receive("bytes_per_second: 1000 after_bytes: 1000000", 500'000);
}

TEST_F(RateLimitTest, WhoIsBlockedIsForbiddenWhateverHeAsksFor) {
  proxy_.Route("a.example", {server_.address()}, "policy { https_redirect { mode: ALWAYS } }");
  Settings(
      "blocked { cidrs: \"10.6.0.0/16\" user_agents { exact: \"Bad/1\" } user_agents { "
      "ignore_case_regex: \"bot\" } "
      "referers { regex: \"spam[.]example\" } }");
  EXPECT_EQ(StatusFor("10.1.0.1"), 308);
  EXPECT_EQ(StatusFor("10.6.0.1"), 403);
  EXPECT_EQ(StatusFor("10.1.0.1", "User-Agent: bad/1\r\n"), 403);
  EXPECT_EQ(StatusFor("10.1.0.1", "User-Agent: Bad/1.1\r\n"), 308);
  EXPECT_EQ(StatusFor("10.1.0.1", "User-Agent: a roBOT\r\n"), 403);
  EXPECT_EQ(StatusFor("10.1.0.1", "Referer: http://spam.example/x\r\n"), 403);
  EXPECT_EQ(StatusFor("10.1.0.1", "Referer: http://SPAM.example/x\r\n"), 308);
  Peer unknown = proxy_.Connect();
  unknown.Send("GET / HTTP/1.1\r\nHost: b.example\r\nUser-Agent: bot\r\n\r\n");
  EXPECT_EQ(unknown.ReadResponse().status, 403) << "hosts that nobody knows too";
}

}  // namespace
}  // namespace headgate::test
