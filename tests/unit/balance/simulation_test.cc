// What policies do to latency, in virtual time: endpoints that serve one request after the other,
// two in ten of them slow.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <queue>
#include <random>
#include <vector>

#include "dataplane/balance/balancer.h"
#include "dataplane/balance/ewma.h"
#include "tests/unit/balance/peers.h"

namespace headgate::balance {
namespace {

using Micros = std::chrono::microseconds;

struct Arrival {
  Micros at;
  Micros work;  // on a fast endpoint
};

std::vector<Arrival> Arrivals() {
  std::mt19937 random(7);
  std::exponential_distribution<double> gap(1.0 / 170);  // microseconds
  std::exponential_distribution<double> work(1.0 / 1000);
  std::vector<Arrival> arrivals;
  double now = 0;
  for (int i = 0; i < 50'000; ++i) {
    now += gap(random);
    arrivals.push_back(
        {Micros(static_cast<int64_t>(now)), Micros(static_cast<int64_t>(work(random)) + 1)});
  }
  return arrivals;
}

// The time that 99 % of requests take at most.
Micros P99(Policy policy) {
  constexpr size_t kEndpoints = 10;
  Peers peers(kEndpoints);
  Balancer balancer(1);
  balancer.Reset({.policy = policy}, nullptr, peers.all(), TimePoint());
  struct Completion {
    Micros at;
    PeerId id;
    Micros latency;
    bool operator<(const Completion& other) const { return at > other.at; }
  };
  std::priority_queue<Completion> completions;
  std::vector<Micros> free_at(kEndpoints, Micros(0));
  std::vector<Micros> latencies;
  for (const Arrival& arrival : Arrivals()) {
    while (!completions.empty() && completions.top().at <= arrival.at) {
      const Completion& done = completions.top();
      --peers[done.id].active;
      Observe(peers[done.id], done.latency, TimePoint() + done.at);
      completions.pop();
    }
    Peer* peer = balancer.Pick({.now = TimePoint() + arrival.at});
    const Micros work = peer->id < 2 ? arrival.work * 3 : arrival.work;
    const Micros begin = std::max(arrival.at, free_at[peer->id]);
    free_at[peer->id] = begin + work;
    ++peer->active;
    latencies.push_back(begin + work - arrival.at);
    completions.push({begin + work, peer->id, latencies.back()});
  }
  const auto at = latencies.begin() + static_cast<ptrdiff_t>(latencies.size() * 99 / 100);
  std::nth_element(latencies.begin(), at, latencies.end());
  return *at;
}

TEST(Simulation, LeastRequestBeatsRoundRobinWhenLatencyIsUneven) {
  const Micros turns = P99(Policy::kRoundRobin);
  const Micros least = P99(Policy::kLeastRequest);
  EXPECT_LT(least * 5, turns) << "us: " << least.count() << " and " << turns.count();
}

TEST(Simulation, EwmaBeatsRoundRobinWhenLatencyIsUneven) {
  const Micros turns = P99(Policy::kRoundRobin);
  const Micros ewma = P99(Policy::kEwma);
  EXPECT_LT(ewma * 5, turns) << "us: " << ewma.count() << " and " << turns.count();
}

}  // namespace
}  // namespace headgate::balance
