#include "dataplane/admin/tcp_metrics.h"

#include <string>
#include <vector>

namespace headgate::admin {

void CollectTcp(const worker::WorkerPool& workers, MetricsWriter& out) {
  using observe::StreamCount;
  const std::vector<worker::TcpServices::Numbers> services = workers.TcpNumbers();
  const auto family = [&](const char* name, MetricType type, const char* help, StreamCount id) {
    out.Family(name, type, help);
    for (const worker::TcpServices::Numbers& service : services) {
      out.Sample({{"port", std::to_string(service.port)}, {"service", service.service}},
                 service.counts[static_cast<size_t>(id)]);
    }
  };
  family("headgate_tcp_connections_total", MetricType::kCounter,
         "Connections of TCP services, by port.", StreamCount::kConnections);
  family("headgate_tcp_connections_active", MetricType::kGauge, "Of these, those that are open.",
         StreamCount::kActive);
  family("headgate_tcp_bytes_from_clients_total", MetricType::kCounter,
         "Bytes passed on to endpoints.", StreamCount::kBytesFromClients);
  family("headgate_tcp_bytes_to_clients_total", MetricType::kCounter, "Bytes passed on to clients.",
         StreamCount::kBytesToClients);
  family("headgate_tcp_failures_total", MetricType::kCounter,
         "Connections without an endpoint to go to.", StreamCount::kFailures);
  family("headgate_tcp_timeouts_total", MetricType::kCounter,
         "Connections closed because nothing moved.", StreamCount::kTimeouts);
}

}  // namespace headgate::admin
