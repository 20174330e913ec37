#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/metrics.h"
#include "dataplane/admin/nginx_metrics.h"
#include "dataplane/observe/route_stats.h"
#include "dataplane/worker/worker_pool.h"

namespace headgate::admin {

// What the data plane counts, as Prometheus text (format 0.0.4), but for routes: the workers'
// counters, the process, and what `collectors` add. Thread: any.
std::string RenderMetrics(const worker::WorkerPool& workers,
                          const std::vector<std::function<void(MetricsWriter&)>>& collectors);

// Requests by route, in the same format, and if `nginx` is given under the names of ingress-nginx
// as well. With thousands of routes these are megabytes, so they are written piece by piece.
// Thread: any, one at a time. `workers` outlive this.
class RouteMetrics {
 public:
  explicit RouteMetrics(const worker::WorkerPool& workers,
                        std::optional<NginxLabels> nginx = std::nullopt)
      : routes_(workers.Routes()), nginx_(std::move(nginx)) {}
  RouteMetrics(const RouteMetrics&) = delete;
  RouteMetrics& operator=(const RouteMetrics&) = delete;

  // The next piece, some kPieceSize long, valid until the next call; empty after the last.
  std::string_view Next();

  static constexpr size_t kPieceSize = 32 * 1024;

 private:
  // In the order in which they are written.
  enum class Family {
    kRequests,
    kDuration,
    kRequestBytes,
    kResponseBytes,
    kNginxRequests,  // this and those below: only with nginx_
    kNginxDuration,
    kNginxResponseDuration,
    kNginxHeaderDuration,
    kNginxConnectDuration,
    kNginxRequestSize,
    kNginxResponseSize,
    kNginxBytesSent,
    kEnd
  };

  void BeginFamily();
  void WriteRoute(const observe::RouteLabels& route, const observe::RouteCounters& counters);
  void WriteNginxDurations(const observe::RouteLabels& route,
                           const observe::RouteCounters& counters);
  void WriteNginxDetails(const observe::RouteLabels& route, const observe::RouteDetails& details);
  void WriteClasses(MetricLabels labels, const char* label,
                    const std::array<uint64_t, observe::kStatusClasses>& by_class);

  const std::vector<const observe::RouteStats::Route*>
      routes_;  // those of one route beside each other
  const std::optional<NginxLabels> nginx_;
  Family family_ = Family::kRequests;
  size_t at_ = 0;  // in routes_
  std::string piece_;
  MetricsWriter out_{&piece_};
};

}  // namespace headgate::admin
