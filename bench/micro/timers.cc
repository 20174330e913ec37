// What timeouts cost: an exchange arms and cancels three or four of them.
#include <benchmark/benchmark.h>

#include <deque>

#include "bench/micro/allocations.h"
#include "dataplane/net/timer_wheel.h"

namespace headgate::bench {
namespace {

class Ignore : public net::TimerHandler {
 public:
  void OnTimer(net::Timer&) override {}
};

// A keep-alive exchange: the same timer cancelled and armed again and again while time passes
// slowly.
void BM_RearmTimer(benchmark::State& state) {
  net::TimePoint now{};
  net::TimerWheel wheel(now);
  Ignore ignore;
  net::Timer timer(wheel, ignore);
  timer.Arm(net::milliseconds(60'000));
  AllocationsPerIteration allocations(state);
  for (auto _ : state) {
    timer.Cancel();
    timer.Arm(net::milliseconds(60'000));
    now += std::chrono::microseconds(10);
    wheel.Advance(now);
  }
  allocations.RequireNone();
}
BENCHMARK(BM_RearmTimer);

// How long the loop may sleep, asked once a turn, with 10,000 connections idle.
void BM_UntilNextWithManyIdle(benchmark::State& state) {
  const net::TimePoint now{};
  net::TimerWheel wheel(now);
  Ignore ignore;
  std::deque<net::Timer> timers;
  for (int i = 0; i < 10'000; ++i) {
    timers.emplace_back(wheel, ignore).Arm(net::milliseconds(60'000 + i));
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(wheel.UntilNext(now, net::milliseconds(1000)));
  }
}
BENCHMARK(BM_UntilNextWithManyIdle);

}  // namespace
}  // namespace headgate::bench
