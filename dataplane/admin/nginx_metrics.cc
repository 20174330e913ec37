#include "dataplane/admin/nginx_metrics.h"

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "common/hash.h"
#include "dataplane/admin/process_metrics.h"
#include "dataplane/observe/counters.h"

namespace headgate::admin {
namespace {

using observe::CounterId;

MetricLabels Common(const NginxLabels& labels) {
  return {{"controller_class", labels.controller_class},
          {"controller_namespace", labels.controller_namespace},
          {"controller_pod", labels.controller_pod}};
}

}  // namespace

void CollectNginx(const NginxLabels& labels, const worker::WorkerPool& workers,
                  const NginxReloads& reloads, MetricsWriter& out) {
  const MetricLabels common = Common(labels);
  const auto one = [&](std::string_view name, MetricType type, std::string_view help, auto value) {
    out.Family(std::string("nginx_ingress_controller_") + std::string(name), type, help);
    out.Sample(common, value);
  };
  const auto by_state = [&](std::string_view name, MetricType type, std::string_view help,
                            std::initializer_list<std::pair<const char*, uint64_t>> states) {
    out.Family(std::string("nginx_ingress_controller_nginx_process_") + std::string(name), type,
               help);
    for (const auto& [state, value] : states) {
      MetricLabels with_state = common;
      with_state.emplace_back("state", state);
      out.Sample(with_state, value);
    }
  };
  const uint64_t connections = workers.Sum(CounterId::kDownstreamConnectionsActive);
  const uint64_t active = workers.Sum(CounterId::kDownstreamRequestsActive);
  const uint64_t accepted = workers.Sum(CounterId::kDownstreamConnections);
  const ProcessUse use = ReadProcessUse();

  one("config_last_reload_successful", MetricType::kGauge,
      "1 while everything that the controller sends is in effect, 0 while a resource is refused.",
      uint64_t{reloads.last_successful ? 1u : 0u});
  one("config_last_reload_successful_timestamp_seconds", MetricType::kGauge,
      "When a change of the configuration was taken in last.",
      static_cast<double>(reloads.last_change));
  // As many bits as a number of JSON holds exactly.
  one("config_hash", MetricType::kGauge, "Another number for each content of the configuration.",
      ContentHash(reloads.version) >> 11);
  one("success", MetricType::kCounter, "Changes of the configuration taken in.", reloads.successes);
  one("errors", MetricType::kCounter, "Changes that had to be asked for again.", reloads.errors);
  by_state("connections", MetricType::kGauge,
           "Client connections: all, and those without a request.",
           {{"active", connections}, {"waiting", connections > active ? connections - active : 0}});
  by_state("connections_total", MetricType::kCounter, "Client connections since the start.",
           {{"accepted", accepted},
            {"handled", accepted - workers.Sum(CounterId::kDownstreamConnectionsRefused)}});
  one("nginx_process_requests_total", MetricType::kCounter, "Requests of clients.",
      workers.Sum(CounterId::kDownstreamRequests));
  one("nginx_process_read_bytes_total", MetricType::kCounter, "Bytes read from clients.",
      workers.Sum(CounterId::kDownstreamBytesRead));
  one("nginx_process_write_bytes_total", MetricType::kCounter, "Bytes written to clients.",
      workers.Sum(CounterId::kDownstreamBytesWritten));
  one("nginx_process_num_procs", MetricType::kGauge, "Processes.", uint64_t{1});
  one("nginx_process_cpu_seconds_total", MetricType::kCounter, "CPU time used.", use.cpu_seconds);
  one("nginx_process_resident_memory_bytes", MetricType::kGauge, "Resident memory.",
      use.resident_bytes);
  one("nginx_process_virtual_memory_bytes", MetricType::kGauge, "Virtual memory.",
      use.virtual_bytes);
}

bool HasNginxSeries(const observe::RouteLabels& route) {
  return !route.ingress.empty() && route.host != "_" && !route.host.starts_with("*.");
}

MetricLabels NginxRouteLabels(const NginxLabels& labels, const observe::RouteLabels& route) {
  MetricLabels out = Common(labels);
  for (const auto& [name, value] : {std::pair<const char*, std::string_view>{"host", route.host},
                                    {"namespace", route.ns},
                                    {"ingress", route.ingress},
                                    {"service", route.service},
                                    {"path", route.path},
                                    {"canary", ""}}) {
    out.emplace_back(name, std::string(value));
  }
  return out;
}

}  // namespace headgate::admin
