#pragma once

#include "common/metrics.h"
#include "dataplane/health/checker.h"

namespace headgate::admin {

// Series about probes: sums, counts for the first thousand upstreams, and one for each of the first
// thousand endpoints that are not healthy. Thread: any but the health thread; waits for it.
void CollectHealth(health::Checker& checker, MetricsWriter& out);

}  // namespace headgate::admin
