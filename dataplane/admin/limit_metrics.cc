#include "dataplane/admin/limit_metrics.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace headgate::admin {
namespace {

constexpr size_t kMaxListed = 1000;

using Clusters = std::vector<config::NamedCluster>;

Clusters Limited(const config::ConfigBuilder& builder) {
  Clusters clusters = builder.Clusters();
  std::erase_if(clusters, [](const auto& each) {
    return each.cluster == nullptr || each.cluster->limits == nullptr;
  });
  std::sort(clusters.begin(), clusters.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  if (clusters.size() > kMaxListed) clusters.resize(kMaxListed);
  return clusters;
}

uint64_t RequestsOf(const config::ClusterLimits& limits) {
  uint64_t sum = 0;
  for (const auto& count : limits.requests) sum += count->value();
  return sum;
}

}  // namespace

void CollectLimits(const config::ConfigBuilder& builder, MetricsWriter& out) {
  const Clusters clusters = Limited(builder);
  const auto family = [&](const char* name, MetricType type, const char* help, auto value) {
    out.Family(name, type, help);
    for (const config::NamedCluster& each : clusters) {
      const std::string upstream(each.name.substr(each.name.find('/') + 1));  // without its kind
      out.Sample({{"upstream", upstream}}, uint64_t{value(*each.cluster->limits)});
    }
  };
  family("headgate_limit_active_connections", MetricType::kGauge,
         "Connections with requests, of upstreams with limits (the first thousand).",
         [](const auto& limits) { return limits.usage->connections.value(); });
  family("headgate_limit_active_requests", MetricType::kGauge,
         "Requests under way at their endpoints.", RequestsOf);
  family("headgate_limit_pending_requests", MetricType::kGauge, "Requests that wait for room.",
         [](const auto& limits) { return limits.usage->pending.value(); });
  family("headgate_limit_rejected_requests_total", MetricType::kCounter,
         "Requests answered 503 because there was no room, and none to wait in or not in time.",
         [](const auto& limits) { return limits.usage->rejected.load(); });
  family("headgate_limit_open", MetricType::kGauge,
         "1 where a request that came now would be answered 503.",
         [](const auto& limits) { return limits.open() ? 1U : 0U; });
}

}  // namespace headgate::admin
