#include "dataplane/admin/metrics_page.h"

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <fstream>

namespace headgate::admin {
namespace {

using observe::RouteCounters;
using observe::RouteLabels;
using RouteCounts = std::map<RouteLabels, RouteCounters>;

MetricLabels Labels(const RouteLabels& route) {
  return {{"host", route.host},       {"namespace", route.ns},
          {"ingress", route.ingress}, {"service", route.service},
          {"service_port", route.service_port}, {"path", route.path}};
}

void WriteRoutes(const RouteCounts& routes, MetricsWriter& out) {
  static constexpr std::array<const char*, 6> kClasses = {"other", "1xx", "2xx", "3xx", "4xx", "5xx"};
  out.Family("headgate_requests_total", MetricType::kCounter, "Finished requests by route and status class.");
  for (const auto& [route, counters] : routes) {
    for (size_t i = 0; i < kClasses.size(); ++i) {
      if (counters.by_class[i] == 0) continue;
      MetricLabels labels = Labels(route);
      labels.emplace_back("status_class", kClasses[i]);
      out.Sample(labels, counters.by_class[i]);
    }
  }
  out.Family("headgate_request_duration_seconds", MetricType::kHistogram,
             "From the request head to the last byte of the response.");
  for (const auto& [route, counters] : routes) {
    out.HistogramSample(Labels(route), RouteCounters::kBounds, counters.duration_buckets,
                        counters.duration_seconds);
  }
  out.Family("headgate_request_bytes_total", MetricType::kCounter, "Request heads and bodies received.");
  for (const auto& [route, counters] : routes) out.Sample(Labels(route), counters.request_bytes);
  out.Family("headgate_response_body_bytes_total", MetricType::kCounter, "Response bodies sent.");
  for (const auto& [route, counters] : routes) out.Sample(Labels(route), counters.response_bytes);
}

void WriteCounters(const worker::WorkerPool& workers, MetricsWriter& out) {
  for (size_t i = 0; i < static_cast<size_t>(observe::CounterId::kCount); ++i) {
    const auto id = static_cast<observe::CounterId>(i);
    const std::string name = "headgate_" + std::string(observe::CounterName(id));
    out.Family(name, observe::IsLevel(id) ? MetricType::kGauge : MetricType::kCounter,
               "Sum over all workers.");
    out.Sample({}, workers.Sum(id));
  }
  out.Family("headgate_workers", MetricType::kGauge, "Worker threads.");
  out.Sample({}, static_cast<uint64_t>(workers.size()));
  out.Family("headgate_spilled_bytes", MetricType::kGauge, "Bytes of bodies held on disk now.");
  out.Sample({}, workers.spilled_bytes());
}

void WriteProcess(MetricsWriter& out) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  out.Family("process_cpu_seconds_total", MetricType::kCounter, "CPU time used, user and system.");
  out.Sample({}, seconds(usage.ru_utime) + seconds(usage.ru_stime));
  uint64_t total_pages = 0;
  uint64_t resident_pages = 0;
  std::ifstream("/proc/self/statm") >> total_pages >> resident_pages;
  out.Family("process_resident_memory_bytes", MetricType::kGauge, "Resident memory.");
  out.Sample({}, resident_pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)));
}

}  // namespace

std::string RenderMetrics(const worker::WorkerPool& workers,
                          const std::vector<std::function<void(MetricsWriter&)>>& collectors) {
  std::string text;
  MetricsWriter out(&text);
  WriteRoutes(workers.RouteCounts(), out);
  WriteCounters(workers, out);
  for (const auto& collect : collectors) collect(out);
  WriteProcess(out);
  return text;
}

}  // namespace headgate::admin
