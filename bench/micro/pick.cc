// Choosing an endpoint.
#include <benchmark/benchmark.h>

#include <memory>
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

void Pick(benchmark::State& state, bool equal) {
  const Endpoints endpoints(state.range(0), equal);
  balance::Balancer balancer(42);
  balancer.Reset(endpoints.all);
  AllocationsPerIteration allocations(state);
  for (auto _ : state) benchmark::DoNotOptimize(balancer.Pick({}));
  allocations.RequireNone();
}

// Argument: number of endpoints.
void BM_PickEqualWeights(benchmark::State& state) { Pick(state, true); }
BENCHMARK(BM_PickEqualWeights)->Arg(1)->Arg(10)->Arg(1000);

void BM_PickUnequalWeights(benchmark::State& state) { Pick(state, false); }
BENCHMARK(BM_PickUnequalWeights)->Arg(10)->Arg(1000);

// An endpoint change: what every worker does for it.
void BM_ResetEndpoints(benchmark::State& state) {
  const Endpoints endpoints(state.range(0), true);
  balance::Balancer balancer(42);
  for (auto _ : state) balancer.Reset(endpoints.all);
}
BENCHMARK(BM_ResetEndpoints)->Arg(10)->Arg(1000);

}  // namespace
}  // namespace headgate::bench
