#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/metrics.h"
#include "dataplane/worker/worker_pool.h"

namespace headgate::admin {

// What the data plane counts, as Prometheus text (format 0.0.4): requests by route, the workers' counters, the process,
// and what `collectors` add. Thread: any but a worker's.
std::string RenderMetrics(const worker::WorkerPool& workers,
                          const std::vector<std::function<void(MetricsWriter&)>>& collectors);

}  // namespace headgate::admin
