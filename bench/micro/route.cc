// Finding the route of a request: host, then path.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/micro/allocations.h"
#include "dataplane/route/host_table.h"

namespace headgate::bench {
namespace {

// Never looked into: routing only hands targets through.
const config::CompiledRoute* Target(size_t i) {
  static char targets[1 << 16];
  return reinterpret_cast<const config::CompiledRoute*>(&targets[i % sizeof targets]);
}

std::shared_ptr<const route::HostRoutes> MakeHost(std::string name, int paths) {
  std::vector<std::string> texts = {"/"};
  for (int i = 1; i < paths; ++i) texts.push_back("/api/v1/service-" + std::to_string(i));
  std::vector<route::RouteSpec> specs;
  for (const std::string& text : texts) {
    route::RouteSpec spec;
    spec.path = text;
    spec.target = Target(specs.size());
    specs.push_back(std::move(spec));
  }
  auto storage = std::make_shared<const std::string>(std::move(name));
  const std::string_view host = *storage;
  return std::make_shared<route::HostRoutes>(host, route::RouteTable(std::move(specs)),
                                             std::move(storage));
}

std::string HostName(int i) { return "host-" + std::to_string(i) + ".example.com"; }

route::HostTable MakeTable(int hosts) {
  const base::HostMap<route::HostRoutes> empty;
  base::HostMap<route::HostRoutes>::Edit edit(empty);
  for (int i = 0; i < hosts; ++i) edit.Set(MakeHost(HostName(i), 2));
  return route::HostTable(std::move(edit).Finish());
}

// Argument: hosts configured. Requests go to them in an order that no cache can guess.
void BM_RouteByHost(benchmark::State& state) {
  const int hosts = static_cast<int>(state.range(0));
  const route::HostTable table = MakeTable(hosts);
  std::vector<std::string> names;
  for (int i = 0; i < hosts; ++i) names.push_back(HostName(static_cast<int>(i * 7919LL % hosts)));
  const http::RequestHead request;
  size_t next = 0;
  AllocationsPerIteration allocations(state);
  for (auto _ : state) {
    const route::HostRoutes* host = table.Find(names[next]);
    if (++next == names.size()) next = 0;
    benchmark::DoNotOptimize(host->Match(request, "/api/v1/service-1/items/42"));
  }
  allocations.RequireNone();
}
BENCHMARK(BM_RouteByHost)->Arg(1)->Arg(100)->Arg(10'000);

// Argument: paths of the one host.
void BM_RouteByPath(benchmark::State& state) {
  const int paths = static_cast<int>(state.range(0));
  const auto host = MakeHost("example.com", paths);
  const std::string path = "/api/v1/service-" + std::to_string(paths / 2) + "/items/42";
  const http::RequestHead request;
  AllocationsPerIteration allocations(state);
  for (auto _ : state) benchmark::DoNotOptimize(host->Match(request, path));
  allocations.RequireNone();
}
BENCHMARK(BM_RouteByPath)->Arg(1)->Arg(10)->Arg(1000);

// What one changed host costs: everything else is shared with the table before. Argument: hosts
// configured.
void BM_ReplaceOneHost(benchmark::State& state) {
  const int hosts = static_cast<int>(state.range(0));
  base::HostMap<route::HostRoutes> table = MakeTable(hosts);
  const auto changed = MakeHost(HostName(hosts / 2), 2);
  for (auto _ : state) {
    base::HostMap<route::HostRoutes>::Edit edit(table);
    edit.Set(changed);
    table = std::move(edit).Finish();
  }
}
BENCHMARK(BM_ReplaceOneHost)->Arg(100)->Arg(10'000);

}  // namespace
}  // namespace headgate::bench
