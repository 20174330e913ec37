#include "dataplane/app/health_report.h"

#include <cstdint>
#include <map>
#include <string_view>

namespace headgate::app {
namespace {

constexpr int kMaxUpstreams = 1000;
constexpr int kMaxEndpoints = 20;

}  // namespace

v1::HealthReport MakeHealthReport(const std::vector<health::UpstreamStatus>& upstreams) {
  v1::HealthReport report;
  std::map<std::string_view, const health::UpstreamStatus*> worst;
  for (const health::UpstreamStatus& upstream : upstreams) {
    const health::UpstreamStatus*& known = worst[upstream.source];
    if (known == nullptr || upstream.unhealthy.size() > known->unhealthy.size()) known = &upstream;
  }
  for (const auto& [source, status] : worst) {
    const size_t healthy = status->endpoints - status->unhealthy.size();
    report.set_healthy(report.healthy() + healthy);
    report.set_unhealthy(report.unhealthy() + status->unhealthy.size());
    if (status->unhealthy.empty() || report.upstreams_size() == kMaxUpstreams) continue;
    v1::UpstreamHealth& entry = *report.add_upstreams();
    entry.set_name(status->source);
    entry.set_healthy(static_cast<uint32_t>(healthy));
    entry.set_unhealthy(static_cast<uint32_t>(status->unhealthy.size()));
    for (const auto& endpoint : status->unhealthy) {
      if (entry.unhealthy_endpoints_size() == kMaxEndpoints) break;
      entry.add_unhealthy_endpoints(endpoint.address.Text());
    }
  }
  return report;
}

}  // namespace headgate::app
