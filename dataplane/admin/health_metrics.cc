#include "dataplane/admin/health_metrics.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace headgate::admin {
namespace {

constexpr size_t kMaxListed = 1000;

}  // namespace

void CollectHealth(health::Checker& checker, MetricsWriter& out) {
  const std::vector<health::UpstreamStatus> upstreams = checker.Status();
  out.Family("headgate_health_probes_total", MetricType::kCounter,
             "Probes of endpoints that are over.");
  out.Sample({}, checker.probes());
  out.Family("headgate_health_probe_failures_total", MetricType::kCounter, "Of these, failures.");
  out.Sample({}, checker.failed_probes());

  uint64_t all = 0;
  uint64_t unhealthy = 0;
  for (const health::UpstreamStatus& upstream : upstreams) {
    all += upstream.endpoints;
    unhealthy += upstream.unhealthy.size();
  }
  out.Family("headgate_health_endpoints", MetricType::kGauge,
             "Endpoints that are probed, by state.");
  out.Sample({{"state", "healthy"}}, all - unhealthy);
  out.Sample({{"state", "unhealthy"}}, unhealthy);

  out.Family("headgate_health_upstream_endpoints", MetricType::kGauge,
             "The same by upstream (the first thousand).");
  for (size_t i = 0; i < std::min(upstreams.size(), kMaxListed); ++i) {
    const health::UpstreamStatus& upstream = upstreams[i];
    const auto sample = [&](const char* state, size_t count) {
      out.Sample(
          {{"upstream", upstream.source}, {"check", std::string(upstream.check)}, {"state", state}},
          uint64_t{count});
    };
    sample("healthy", upstream.endpoints - upstream.unhealthy.size());
    sample("unhealthy", upstream.unhealthy.size());
  }

  out.Family("headgate_health_endpoint_unhealthy", MetricType::kGauge,
             "1 for each endpoint that is unhealthy (the first thousand).");
  size_t listed = 0;
  for (const health::UpstreamStatus& upstream : upstreams) {
    for (const auto& endpoint : upstream.unhealthy) {
      if (listed++ == kMaxListed) return;
      out.Sample({{"upstream", upstream.source},
                  {"check", std::string(upstream.check)},
                  {"endpoint", endpoint.address.Text()}},
                 uint64_t{1});
    }
  }
}

}  // namespace headgate::admin
