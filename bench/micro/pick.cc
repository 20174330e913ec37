// Choosing an endpoint.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/micro/allocations.h"
#include "dataplane/balance/balancer.h"

namespace headgate::bench {
namespace {

struct Endpoints {
  Endpoints(int64_t count, bool equal) {
    for (int64_t i = 0; i < count; ++i) {
      owned.push_back(std::make_unique<balance::Peer>(static_cast<balance::PeerId>(i)));
      owned.back()->weight = equal ? 1 : 1 + static_cast<uint32_t>(i % 5);
      all.push_back(owned.back().get());
    }
  }
  std::vector<std::unique_ptr<balance::Peer>> owned;
  std::vector<balance::Peer*> all;
};

std::shared_ptr<const balance::HashRing> RingOf(int64_t count) {
  std::vector<std::string> names;
  for (int64_t i = 0; i < count; ++i) names.push_back("endpoint" + std::to_string(i));
  return std::make_shared<const balance::HashRing>(names);
}

void Pick(benchmark::State& state, balance::Policy policy, bool equal) {
  const Endpoints endpoints(state.range(0), equal);
  balance::Balancer balancer(42);
  const bool by_hash = policy == balance::Policy::kHash;
  balancer.Reset({.policy = policy}, by_hash ? RingOf(state.range(0)) : nullptr, endpoints.all, {});
  balance::PickContext context;
  uint32_t hash = 0;
  AllocationsPerIteration allocations(state);
  for (auto _ : state) {
    if (by_hash) context.hash = hash += 0x9e3779b9;
    benchmark::DoNotOptimize(balancer.Pick(context));
  }
  allocations.RequireNone();
}

// Argument: number of endpoints.
BENCHMARK_CAPTURE(Pick, round_robin, balance::Policy::kRoundRobin, true)
    ->Arg(1)
    ->Arg(10)
    ->Arg(1000);
BENCHMARK_CAPTURE(Pick, round_robin_unequal, balance::Policy::kRoundRobin, false)
    ->Arg(10)
    ->Arg(1000);
BENCHMARK_CAPTURE(Pick, least_request, balance::Policy::kLeastRequest, true)->Arg(10)->Arg(1000);
BENCHMARK_CAPTURE(Pick, least_request_unequal, balance::Policy::kLeastRequest, false)
    ->Arg(10)
    ->Arg(1000);
BENCHMARK_CAPTURE(Pick, ewma, balance::Policy::kEwma, true)->Arg(10)->Arg(1000);
BENCHMARK_CAPTURE(Pick, random, balance::Policy::kRandom, true)->Arg(10)->Arg(1000);
BENCHMARK_CAPTURE(Pick, hash, balance::Policy::kHash, true)->Arg(10)->Arg(1000);

// An endpoint change: what every worker does for it.
void BM_ResetEndpoints(benchmark::State& state) {
  const Endpoints endpoints(state.range(0), true);
  balance::Balancer balancer(42);
  for (auto _ : state) balancer.Reset({}, nullptr, endpoints.all, {});
}
BENCHMARK(BM_ResetEndpoints)->Arg(10)->Arg(1000);

}  // namespace
}  // namespace headgate::bench
