// What many requests make of endpoints that are slow or dead.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/dataplane/peer.h"
#include "tests/support/dataplane/reply_server.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::test {
namespace {

using observe::CounterId;

constexpr char kGet[] = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";

// How many of a hundred requests meet an endpoint that takes longer than all others together need.
int RequestsAtASlowEndpoint(const std::string& policy) {
  constexpr int kRequests = 100;
  TestProxy proxy;
  ReplyServer a("a"), b("b"), c("c");
  PeerListener slow;
  proxy.Route("a.example", {a.address(), b.address(), c.address(), slow.address()});
  EXPECT_TRUE(proxy
                  .Apply({"name: \"cluster/test/a.example/80\" cluster { endpoints: "
                          "\"endpoints/test/a.example/80\" "
                          "balancing { policy: " +
                          policy + " } }"})
                  .empty());
  std::vector<Peer> clients;
  std::vector<Peer> waiting;
  const auto answered = [&] {
    return static_cast<int>(a.requests() + b.requests() + c.requests());
  };
  for (int i = 0; i < kRequests; ++i) {
    clients.push_back(proxy.Connect());
    clients.back().Send(kGet);
    // It is with one of them before the next one is sent.
    const auto placed = [&] { return answered() + static_cast<int>(waiting.size()) > i; };
    while (!placed()) {
      for (int turn = 0; turn < 10'000 && !placed(); ++turn) std::this_thread::yield();
      if (!placed() && slow.HasConnection()) waiting.push_back(slow.Accept());
    }
  }
  return static_cast<int>(waiting.size());
}

// With round robin a quarter of the requests are slow, p99 and all; with least_request it is those
// few that find out.
TEST(UpstreamLoadTest, LeastRequestKeepsRequestsAwayFromASlowEndpoint) {
  EXPECT_EQ(RequestsAtASlowEndpoint("ROUND_ROBIN"), 25);
  EXPECT_LE(RequestsAtASlowEndpoint("LEAST_REQUEST"), 1);
}

TEST(UpstreamLoadTest, RetriesDoNotMultiplyTheLoadOfADeadUpstream) {
  constexpr int kThreads = 4;
  constexpr int kRequests = 500;  // each, one after the other
  std::vector<base::Address> dead;
  {
    const PeerListener gone[3];
    for (const PeerListener& listener : gone) dead.push_back(listener.address());
  }
  TestProxy proxy;
  proxy.Route("a.example", dead);
  std::atomic<int> answered{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      Peer client = proxy.Connect();
      for (int j = 0; j < kRequests && client.Send(kGet); ++j) {
        if (client.ReadResponse().status == 502) ++answered;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answered, kThreads * kRequests);
  const uint64_t attempts = proxy.Count(CounterId::kUpstreamConnectFailures);
  EXPECT_GT(attempts, uint64_t{kThreads * kRequests});
  EXPECT_LE(attempts, uint64_t{kThreads * kRequests * 12 / 10});
  EXPECT_GT(proxy.Count(CounterId::kUpstreamRetriesOverBudget), 0u);
}

}  // namespace
}  // namespace headgate::test
