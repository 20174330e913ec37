// The controller's side of a change: from the event to the difference of two snapshots, and the
// memory of the whole.
#include "controller/translate/translate.h"

#include <benchmark/benchmark.h>
#include <malloc.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "controller/admission/host_index.h"
#include "controller/admission/judge.h"
#include "controller/translate/translator.h"
#include "tests/support/kube_objects.h"

namespace headgate::bench {
namespace {

using testing::Backend;
using testing::Ipv4;

kube::Change Slice(int i, uint8_t last) {
  const std::string n = std::to_string(i);
  return kube::Object(testing::Slice("default", "app-" + n + "-x7k2p", "app-" + n, 8080,
                                     {Ipv4(10, 0, static_cast<uint8_t>(i), last)}));
}

kube::Change Ingress(int i, int backend) {
  const std::string n = std::to_string(i);
  kube::Ingress ingress = testing::SimpleIngress("default", "app-" + n, "app-" + n + ".example.com",
                                                 Backend("app-" + std::to_string(backend), 80));
  ingress.meta.creation_time = 1'000;
  return kube::Object(std::move(ingress));
}

// Ingresses with a Service and a slice each, translated once.
struct Cluster {
  explicit Cluster(int count) {
    state.Apply(kube::Change(kube::Object(testing::Class("headgate"))));
    for (int i = 0; i < count; ++i) {
      state.Apply(Ingress(i, i));
      state.Apply(kube::Change(
          kube::Object(testing::SimpleService("default", "app-" + std::to_string(i), 80, 8080))));
      state.Apply(Slice(i, 1));
    }
    Update();
  }
  translate::TranslationUpdate Update() {
    const state::Changes changes = state.TakeChanges();
    hosts.Update(state, changes.ingresses);
    return translator.Update(state, changes, absl::UnixEpoch());
  }

  state::ClusterState state{state::ClusterState::Options{}};
  translate::Translator translator{translate::Options{}};
  admission::HostIndex hosts{translate::Options{}.annotation_prefix};
};

// Argument: Ingresses there are. One EndpointSlice changes.
void BM_EndpointChange(benchmark::State& state) {
  Cluster cluster(static_cast<int>(state.range(0)));
  uint8_t last = 1;
  for (auto _ : state) {
    last = last == 1 ? 2 : 1;
    cluster.state.Apply(Slice(7, last));
    benchmark::DoNotOptimize(cluster.Update());
  }
}
BENCHMARK(BM_EndpointChange)->Arg(100)->Arg(1000)->Arg(10000);

// Argument: Ingresses there are. The admission webhook judges one more, for a host of its own and
// for one that has a route.
void BM_JudgeIngress(benchmark::State& state) {
  Cluster cluster(static_cast<int>(state.range(0)));
  bool taken = false;
  for (auto _ : state) {
    taken = !taken;
    const std::string host = taken ? "app-7.example.com" : "new.example.com";
    const admission::Verdict verdict = admission::Judge(
        testing::SimpleIngress("default", "new", host, Backend("app-1", 80)), cluster.state,
        cluster.hosts, cluster.translator, absl::FromUnixSeconds(2'000));
    if (verdict.allowed == taken)
      state.SkipWithError(taken ? "the host's path was not refused" : verdict.reason.c_str());
  }
}
BENCHMARK(BM_JudgeIngress)->Arg(100)->Arg(10'000)->Unit(benchmark::kMicrosecond);

// One Ingress leads to another Service.
void BM_RouteChange(benchmark::State& state) {
  Cluster cluster(static_cast<int>(state.range(0)));
  int backend = 8;
  for (auto _ : state) {
    backend = backend == 8 ? 9 : 8;
    cluster.state.Apply(Ingress(7, backend));
    benchmark::DoNotOptimize(cluster.Update());
  }
}
BENCHMARK(BM_RouteChange)->Arg(100)->Arg(1000)->Arg(10000);

// Everything, as at start-up; and the memory that state and translation keep for it, an Ingress
// with Service and slice.
void BM_FirstTranslation(benchmark::State& state) {
  const int count = static_cast<int>(state.range(0));
  for (auto _ : state) {
    const size_t before = mallinfo2().uordblks;
    const auto cluster = std::make_unique<Cluster>(count);
    const size_t after = mallinfo2().uordblks;
    state.counters["bytes_per_ingress"] = static_cast<double>(after - before) / count;
  }
  state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK(BM_FirstTranslation)->Arg(100)->Arg(5000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace headgate::bench
