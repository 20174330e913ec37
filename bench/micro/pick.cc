// Choosing an endpoint.
#include <benchmark/benchmark.h>

#include <vector>

#include "bench/micro/allocations.h"
#include "dataplane/balance/round_robin.h"

namespace headgate::bench {
namespace {

std::vector<balance::Candidate> Endpoints(int64_t count, bool equal) {
  std::vector<balance::Candidate> candidates(static_cast<size_t>(count));
  for (size_t i = 0; i < candidates.size(); ++i) {
    candidates[i].weight = equal ? 1 : 1 + static_cast<uint32_t>(i % 5);
  }
  return candidates;
}

void Pick(benchmark::State& state, bool equal) {
  balance::RoundRobin balancer(42);
  balancer.Reset(Endpoints(state.range(0), equal));
  AllocationsPerIteration allocations(state);
  for (auto _ : state) benchmark::DoNotOptimize(balancer.Pick());
  allocations.RequireNone();
}

// Argument: number of endpoints.
void BM_PickEqualWeights(benchmark::State& state) { Pick(state, true); }
BENCHMARK(BM_PickEqualWeights)->Arg(1)->Arg(10)->Arg(1000);

void BM_PickUnequalWeights(benchmark::State& state) { Pick(state, false); }
BENCHMARK(BM_PickUnequalWeights)->Arg(10)->Arg(1000);

// An endpoint change: what every worker does for it.
void BM_ResetEndpoints(benchmark::State& state) {
  const auto candidates = Endpoints(state.range(0), true);
  balance::RoundRobin balancer(42);
  for (auto _ : state) balancer.Reset(candidates);
}
BENCHMARK(BM_ResetEndpoints)->Arg(10)->Arg(1000);

}  // namespace
}  // namespace headgate::bench
