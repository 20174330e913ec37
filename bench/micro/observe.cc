// What it costs to have seen a request: its log line and its counts.
#include <benchmark/benchmark.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "bench/micro/allocations.h"
#include "dataplane/observe/access_log_line.h"
#include "dataplane/observe/log_format.h"
#include "dataplane/observe/route_stats.h"

namespace headgate::bench {
namespace {

observe::RequestRecord Record() {
  observe::RequestRecord record;
  record.received = {.tv_sec = 1'700'000'000, .tv_nsec = 0};
  record.duration = std::chrono::microseconds(1234);
  record.client_ip = "203.0.113.7";
  record.method = "GET";
  record.target = "/catalogue/section/17?sort=price&page=3";
  record.version = "HTTP/1.1";
  record.host = "shop.example.com";
  record.scheme = "https";
  record.referer = "https://shop.example.com/catalogue/section/17?sort=price&page=2";
  record.user_agent =
      "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 "
      "Safari/537.36";
  record.request_id = "6f1c2a9be07d4c51a3f0e88d5b7c9e21";
  record.status = 200;
  record.request_bytes = 1200;
  record.response_body_bytes = 1024;
  record.virtual_host = "shop.example.com";
  record.route_namespace = "shop";
  record.route_ingress = "catalogue";
  record.route_service = "catalogue";
  record.route_service_port = "http";
  record.route_path = "/catalogue";
  record.upstream_name = "shop-catalogue-http";
  record.attempt_count = 1;
  record.attempt_storage[0] = {.address = "10.1.2.3:8080",
                               .status = 200,
                               .response_bytes = 1024,
                               .response_time = std::chrono::microseconds(1100)};
  return record;
}

void WriteLine(benchmark::State& state, observe::AccessLogFormat format) {
  const observe::RequestRecord record = Record();
  observe::LogTime time;
  time.Set(record.received.tv_sec);
  std::string line(observe::AccessLogLineBound(record), '\0');
  AllocationsPerIteration allocations(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(observe::WriteAccessLogLine(record, format, time, line.data()));
  }
  allocations.RequireNone();
}

void BM_TextLine(benchmark::State& state) { WriteLine(state, observe::AccessLogFormat::kText); }
BENCHMARK(BM_TextLine);

void BM_JsonLine(benchmark::State& state) { WriteLine(state, observe::AccessLogFormat::kJson); }
BENCHMARK(BM_JsonLine);

// What the documentation of ingress-nginx has as an example, in short.
void BM_OwnLine(benchmark::State& state) {
  using Variable = observe::LogFormat::Variable;
  const observe::RequestRecord record = Record();
  observe::LogFormat format;
  format.escape = observe::LogFormat::Escape::kJson;
  for (const Variable variable :
       {Variable::kTimeIso8601, Variable::kRemoteAddr, Variable::kValue, Variable::kRequestId,
        Variable::kRemoteUser, Variable::kBytesSent, Variable::kRequestTime, Variable::kStatus,
        Variable::kValue, Variable::kServerProtocol, Variable::kValue, Variable::kRequestLength,
        Variable::kRequestMethod, Variable::kHttpReferer, Variable::kHttpUserAgent}) {
    format.parts.push_back({Variable::kText, "\", \"variable\": \""});
    format.parts.push_back({variable, ""});
  }
  const std::string_view values[] = {"203.0.113.7", "shop.example.com", "/catalogue/section/17"};
  const observe::LogNote note{format, values, 200};
  observe::LogTime time;
  time.Set(record.received.tv_sec);
  std::string line(observe::LogLineBound(record, format, &note), '\0');
  AllocationsPerIteration allocations(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(observe::LogLineBound(record, format, &note));
    benchmark::DoNotOptimize(observe::WriteLogLine(record, format, &note, time, line.data()));
  }
  allocations.RequireNone();
}
BENCHMARK(BM_OwnLine);

void BM_CountRequest(benchmark::State& state) {
  observe::RequestRecord record = Record();
  record.route_id = 1;
  observe::RouteStats stats;
  for (int i = 0; i < 70'000; ++i)
    stats.Count(record);  // counts become wider once, see observe/small_counts.h
  AllocationsPerIteration allocations(state);
  for (auto _ : state) stats.Count(record);
  allocations.RequireNone();
}
BENCHMARK(BM_CountRequest);

// Each worker has counts of each route it has served.
void BM_MemoryOfRouteStats(benchmark::State& state) {
  constexpr size_t kRoutes = 5000;
  for (auto _ : state) {
    BytesEach bytes(state);
    observe::RouteStats stats;
    for (size_t i = 0; i < kRoutes; ++i) {
      observe::RequestRecord record = Record();
      const std::string host = "host-" + std::to_string(i) + ".example.com";
      record.virtual_host = host;
      stats.Count(record);
    }
    bytes.Require(kRoutes, 230);
  }
}
BENCHMARK(BM_MemoryOfRouteStats)->Iterations(1);

}  // namespace
}  // namespace headgate::bench
