// Which endpoint gets a request, and what follows when that fails: with real workers and scripted
// endpoints.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/dataplane/peer.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::test {
namespace {

using observe::CounterId;

std::string Get(std::string_view fields = "") {
  return "GET / HTTP/1.1\r\nHost: a.example\r\n" + std::string(fields) + "\r\n";
}

class BalancingTest : public testing::Test {
 protected:
  // `cluster` and `route`: further fields in text format.
  void Use(std::string_view cluster, std::string_view route = "") {
    proxy.Route("a.example", {endpoints[0].address(), endpoints[1].address()}, route);
    const auto refused =
        proxy.Apply({"name: \"cluster/test/a.example/80\" cluster { endpoints: "
                     "\"endpoints/test/a.example/80\" log_name: \"log-a.example\" " +
                     std::string(cluster) + " }"});
    EXPECT_TRUE(refused.empty());
  }

  // Waits until one of the endpoints is connected with; says which.
  size_t Asked() const { return FirstReadable({endpoints[0].fd(), endpoints[1].fd()}); }

  // Sends a request and answers it; says by which endpoint.
  size_t Exchange(Peer& client, std::string_view fields = "", Peer::Message* response = nullptr) {
    client.Send(Get(fields));
    const size_t index = Asked();
    Peer server = endpoints[index].Accept();
    server.ReadRequest();
    server.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    const Peer::Message message = client.ReadResponse();
    EXPECT_EQ(message.status, 200);
    if (response != nullptr) *response = message;
    return index;
  }

  // Answers the request that some endpoint has got.
  void Answer(std::string_view status) {
    Peer server = endpoints[Asked()].Accept();
    server.ReadRequest();
    server.Send("HTTP/1.1 " + std::string(status) +
                "\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody");
  }

  static std::string CookieOf(const Peer::Message& response) {
    const std::string value = response.Field("Set-Cookie");
    return value.substr(0, value.find(';'));
  }

  TestProxy proxy;
  PeerListener endpoints[2];
};

TEST_F(BalancingTest, AHashSendsEqualValuesToOneEndpoint) {
  Use(R"(balancing { hash_by { parts { variable: HEADER name: "x-user" } parts { literal: "-salt" } } })");
  Peer client = proxy.Connect();
  std::vector<size_t> seen;
  for (int i = 0; i < 8; ++i) {
    const std::string field = "X-User: user" + std::to_string(i) + "\r\n";
    seen.push_back(Exchange(client, field));
    EXPECT_EQ(Exchange(client, field), seen.back());
  }
  EXPECT_NE(std::count(seen.begin(), seen.end(), 0), 0);
  EXPECT_NE(std::count(seen.begin(), seen.end(), 1), 0);
}

TEST_F(BalancingTest, LeastRequestAvoidsABusyEndpoint) {
  Use("balancing { policy: LEAST_REQUEST }");
  Peer waiting = proxy.Connect();
  waiting.Send(Get());
  const size_t busy = Asked();
  Peer held = endpoints[busy].Accept();
  held.ReadRequest();
  Peer client = proxy.Connect();
  for (int i = 0; i < 6; ++i) EXPECT_NE(Exchange(client), busy);
}

TEST_F(BalancingTest, BalancedSessionsStayWithTheirEndpoint) {
  Use("balancing { affinity: BALANCED }",
      R"(policy { session_cookie { name: "ROUTE" path: "/shop" max_age_seconds: 60 same_site: LAX } })");
  Peer client = proxy.Connect();
  for (int session = 0; session < 4; ++session) {
    Peer::Message first;
    const size_t endpoint = Exchange(client, "", &first);
    EXPECT_TRUE(
        first.Field("Set-Cookie").ends_with("; Max-Age=60; Path=/shop; HttpOnly; SameSite=Lax"))
        << first.Field("Set-Cookie");
    for (int i = 0; i < 3; ++i) {
      Peer::Message later;
      EXPECT_EQ(Exchange(client, "Cookie: a=b; " + CookieOf(first) + "\r\n", &later), endpoint);
      EXPECT_EQ(later.Field("Set-Cookie"), "") << "a valid cookie is never issued again";
    }
  }
}

TEST_F(BalancingTest, PersistentSessionsNameTheirEndpoint) {
  Use("balancing { affinity: PERSISTENT }", R"(policy { session_cookie { name: "ROUTE" } })");
  Peer client = proxy.Connect();
  Peer::Message first;
  const size_t endpoint = Exchange(client, "", &first);
  const std::string cookie = CookieOf(first);
  EXPECT_EQ(cookie.size(), std::string("ROUTE=").size() + 32 + 1 + 32) << cookie;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Exchange(client, "Cookie: " + cookie + "\r\n"), endpoint);
  Peer::Message stranger;
  Exchange(client, "Cookie: ROUTE=unheard-of|" + cookie.substr(cookie.find('|') + 1) + "\r\n",
           &stranger);
  EXPECT_NE(stranger.Field("Set-Cookie"), "") << "an unknown key is a new session";
}

TEST_F(BalancingTest, SessionsGoOnAtAnEndpointThatDrainsAndNewOnesGoElsewhere) {
  for (const char* affinity : {"BALANCED", "PERSISTENT"}) {
    Use("balancing { affinity: " + std::string(affinity) + " }",
        R"(policy { session_cookie { name: "ROUTE" } })");
    Peer client = proxy.Connect();
    Peer::Message first;
    const size_t draining = Exchange(client, "", &first);
    std::string text = "name: \"endpoints/test/a.example/80\" endpoints {";
    for (size_t i = 0; i < 2; ++i) {
      text += " endpoints { address: \"\\177\\000\\000\\001\" port: " +
              std::to_string(endpoints[i].port()) + (i == draining ? " state: DRAINING }" : " }");
    }
    proxy.Apply({text + " }"});
    for (int i = 0; i < 6; ++i) {
      EXPECT_EQ(Exchange(client, "Cookie: " + CookieOf(first) + "\r\n"), draining) << affinity;
      Peer::Message other;
      EXPECT_NE(Exchange(client, "", &other), draining) << affinity;
      EXPECT_NE(Exchange(client, "Cookie: " + CookieOf(other) + "\r\n"), draining) << affinity;
    }
  }
}

TEST_F(BalancingTest, ASessionMovesWhenItsEndpointFailsIfThatIsWanted) {
  for (const bool change : {false, true}) {
    Use("balancing { affinity: BALANCED }",
        "policy { next_upstream { conditions { any_of: HTTP_503 } tries: 2 } session_cookie { "
        "name: \"ROUTE\"" +
            std::string(change ? " change_on_failure: true" : "") + " } }");
    Peer client = proxy.Connect();
    Peer::Message first;
    const size_t endpoint = Exchange(client, "", &first);
    client.Send(Get("Cookie: " + CookieOf(first) + "\r\n"));
    Answer("503 Busy");
    const size_t second = Asked();
    EXPECT_EQ(second != endpoint, change);
    Answer("200 OK");
    const Peer::Message response = client.ReadResponse();
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.Field("Set-Cookie").empty(), !change);
    if (!change) continue;
    EXPECT_EQ(Exchange(client, "Cookie: " + CookieOf(response) + "\r\n"), second);
  }
}

TEST_F(BalancingTest, AResponseWithARetriedStatusIsDropped) {
  Use("", "policy { next_upstream { conditions { any_of: HTTP_503 } } }");
  Peer client = proxy.Connect();
  client.Send(Get());
  Answer("503 Busy");
  Answer("200 OK");
  EXPECT_EQ(client.ReadResponse().status, 200);
  EXPECT_EQ(proxy.Count(CounterId::kUpstreamRetries), 1u);

  client.Send("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n");
  Answer("503 Busy");
  EXPECT_EQ(client.ReadResponse().status, 503) << "it has been processed";
}

TEST_F(BalancingTest, WhenTriesRunOutTheLastStatusCounts) {
  Use("", "policy { next_upstream { conditions { any_of: [HTTP_503, HTTP_500] } tries: 2 } }");
  Peer client = proxy.Connect();
  client.Send(Get());
  Answer("503 Busy");
  Answer("500 Broken");
  const Peer::Message response = client.ReadResponse();
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.body, "body");
}

TEST_F(BalancingTest, NoRetryWhenItIsSwitchedOff) {
  Use("", "policy { next_upstream { conditions {} } }");
  Peer client = proxy.Connect();
  client.Send(Get());
  endpoints[Asked()].Accept().Abort();
  EXPECT_EQ(client.ReadResponse().status, 502);
  EXPECT_EQ(proxy.Count(CounterId::kUpstreamRetries), 0u);
}

// More of them than the budget allows in any window.
TEST(RetryBudget, PooledConnectionsThatDiedTakeNothingFromIt) {
  TestProxy proxy;
  PeerListener endpoint;
  proxy.Route("a.example", {endpoint.address()});
  Peer client = proxy.Connect();
  client.Send(Get());
  Peer server = endpoint.Accept();
  for (int i = 0; i < 150; ++i) {
    server.ReadRequest();
    server.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    ASSERT_EQ(client.ReadResponse().status, 200) << i;
    client.Send(Get());
    server.ReadRequest();
    server.Close();  // without an answer
    server = endpoint.Accept();
  }
  EXPECT_EQ(proxy.Count(CounterId::kUpstreamRetriesOverBudget), 0u);
}

TEST(RetryBudget, ADeadUpstreamGetsAFifthMoreAttemptsThanRequests) {
  TestProxy proxy;
  std::vector<base::Address> dead;
  for (int i = 0; i < 3; ++i)
    dead.push_back(PeerListener().address());  // nobody listens there any more
  proxy.Route("a.example", dead);
  constexpr int kRequests = 1500;
  Peer client = proxy.Connect();
  for (int i = 0; i < kRequests; ++i) {
    client.Send(Get());
    ASSERT_EQ(client.ReadResponse().status, 502);
  }
  const uint64_t attempts = proxy.Count(CounterId::kUpstreamConnectFailures);
  EXPECT_LE(attempts, kRequests * 12 / 10);
  EXPECT_GT(attempts, kRequests * 11 / 10) << "and retries there are";
  EXPECT_EQ(proxy.Count(CounterId::kUpstreamRetries), attempts - kRequests);
  EXPECT_GT(proxy.Count(CounterId::kUpstreamRetriesOverBudget), 0u);
}

}  // namespace
}  // namespace headgate::test
