#pragma once

#include "common/metrics.h"
#include "dataplane/worker/worker_pool.h"

namespace headgate::admin {

// Connections of TCP services and what they carry, by service. Thread: any.
void CollectTcp(const worker::WorkerPool& workers, MetricsWriter& out);

}  // namespace headgate::admin
