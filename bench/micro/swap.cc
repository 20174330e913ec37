// What a change of configuration costs, from resources to the message for the workers. The cost of
// one change may not grow with what is configured.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bench/micro/allocations.h"
#include "dataplane/base/arena.h"
#include "dataplane/codec/worker_io.h"
#include "dataplane/config/config_builder.h"
#include "dataplane/net/event_loop.h"
#include "dataplane/observe/counters.h"
#include "dataplane/upstream/cluster_set.h"

namespace headgate::bench {
namespace {

std::string Suffix(int i) { return "shop/service-" + std::to_string(i) + "/80"; }

v1::Resource Host(int i) {
  v1::Resource resource;
  const std::string host = "host-" + std::to_string(i) + ".example.com";
  resource.set_name("vhost/" + host);
  resource.set_hash(static_cast<uint64_t>(i) + 1);
  resource.mutable_virtual_host()->set_host(host);
  v1::Route* route = resource.mutable_virtual_host()->add_routes();
  route->mutable_match()->set_prefix_path("/");
  route->mutable_forward()->add_clusters()->set_cluster("cluster/" + Suffix(i));
  v1::RouteOrigin* origin = route->mutable_origin();
  origin->set_namespace_("shop");
  origin->set_ingress("ingress-" + std::to_string(i));
  origin->set_service("service-" + std::to_string(i));
  origin->set_service_port("80");
  origin->set_path("/");
  return resource;
}

v1::Resource Cluster(int i) {
  v1::Resource resource;
  resource.set_name("cluster/" + Suffix(i));
  resource.set_hash(static_cast<uint64_t>(i) + 1);
  resource.mutable_cluster()->set_endpoints("endpoints/" + Suffix(i));
  resource.mutable_cluster()->set_log_name("shop-service-" + std::to_string(i) + "-80");
  return resource;
}

v1::Resource Endpoints(int i, int count, uint64_t hash) {
  v1::Resource resource;
  resource.set_name("endpoints/" + Suffix(i));
  resource.set_hash(hash);
  for (int e = 0; e < count; ++e) {
    v1::Endpoint* endpoint = resource.mutable_endpoints()->add_endpoints();
    const std::string address = {10, static_cast<char>(i >> 8), static_cast<char>(i),
                                 static_cast<char>(e + 1)};
    endpoint->set_address(address);
    endpoint->set_port(8080);
  }
  return resource;
}

void Apply(config::ConfigBuilder& builder, std::span<const v1::Resource> resources) {
  std::vector<const v1::Resource*> pointers;
  for (const v1::Resource& resource : resources) pointers.push_back(&resource);
  const config::BuildResult result = builder.Apply(pointers, {});
  benchmark::DoNotOptimize(result.update.config);
  if (result.refusals.empty()) return;
  std::fprintf(stderr, "error: %s: %s\n", result.refusals.front().resource.c_str(),
               result.refusals.front().reason.c_str());
  std::exit(1);
}

// Hosts with a route, a cluster and two endpoints each.
std::vector<v1::Resource> Everything(int hosts) {
  std::vector<v1::Resource> resources;
  for (int i = 0; i < hosts; ++i) {
    resources.push_back(Host(i));
    resources.push_back(Cluster(i));
    resources.push_back(Endpoints(i, 2, 1));
  }
  return resources;
}

// Argument: hosts configured.
void BM_ChangeEndpoints(benchmark::State& state) {
  const int hosts = static_cast<int>(state.range(0));
  config::ConfigBuilder builder{config::ConfigBuilder::Options()};
  Apply(builder, Everything(hosts));
  const std::vector<v1::Resource> forms = {Endpoints(hosts / 2, 3, 2), Endpoints(hosts / 2, 2, 3)};
  size_t next = 0;
  AllocationsPerIteration allocations(state);
  for (auto _ : state) Apply(builder, {&forms[next ^= 1], 1});
}
BENCHMARK(BM_ChangeEndpoints)->Arg(100)->Arg(10'000);

void BM_ChangeHost(benchmark::State& state) {
  const int hosts = static_cast<int>(state.range(0));
  config::ConfigBuilder builder{config::ConfigBuilder::Options()};
  Apply(builder, Everything(hosts));
  std::vector<v1::Resource> forms = {Host(hosts / 2), Host(hosts / 2)};
  forms[1].mutable_virtual_host()->mutable_routes(0)->mutable_match()->set_prefix_path("/v2");
  forms[1].set_hash(7);
  size_t next = 0;
  AllocationsPerIteration allocations(state);
  for (auto _ : state) Apply(builder, {&forms[next ^= 1], 1});
}
BENCHMARK(BM_ChangeHost)->Arg(100)->Arg(10'000);

// A data plane's first snapshot.
void BM_CompileEverything(benchmark::State& state) {
  const std::vector<v1::Resource> resources = Everything(static_cast<int>(state.range(0)));
  AllocationsPerIteration allocations(state);
  for (auto _ : state) {
    config::ConfigBuilder builder{config::ConfigBuilder::Options()};
    Apply(builder, resources);
  }
}
BENCHMARK(BM_CompileEverything)->Arg(100)->Arg(10'000)->Unit(benchmark::kMillisecond);

// ---- memory
// -----------------------------------------------------------------------------------------------------

// A host with one route and a Service of its own, as the control thread holds it.
void BM_MemoryOfConfiguration(benchmark::State& state) {
  constexpr int kHosts = 5000;
  for (auto _ : state) {
    const std::vector<v1::Resource> resources = Everything(kHosts);
    BytesEach bytes(state);
    config::ConfigBuilder builder{config::ConfigBuilder::Options()};
    Apply(builder, resources);
    bytes.Require(kHosts, 1400);
  }
}
BENCHMARK(BM_MemoryOfConfiguration)->Iterations(1);

// A cluster with two endpoints as one worker sees it once it has served a request for it,
// connections apart.
void BM_MemoryOfClusterViews(benchmark::State& state) {
  constexpr int kClusters = 5000;
  const std::vector<v1::Resource> resources = Everything(kClusters);
  std::vector<const v1::Resource*> pointers;
  for (const v1::Resource& resource : resources) pointers.push_back(&resource);
  config::ConfigBuilder builder{config::ConfigBuilder::Options()};
  const config::BuildResult built = builder.Apply(pointers, {});

  base::BlockPool blocks;
  net::EventLoop loop;
  observe::CounterShard counters;
  codec::WorkerIo io(loop, blocks, counters);
  for (auto _ : state) {
    upstream::ClusterSet clusters(io, 42);
    BytesEach bytes(state);
    clusters.Apply(built.update.clusters, built.update.slot_count);
    for (const config::ClusterUpdate& update : built.update.clusters) {
      benchmark::DoNotOptimize(clusters.Find(update.slot)->Pick({}));
    }
    bytes.Require(kClusters, 740);
  }
}
BENCHMARK(BM_MemoryOfClusterViews)->Iterations(1);

}  // namespace
}  // namespace headgate::bench
