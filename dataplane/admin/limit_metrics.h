#pragma once

#include "common/metrics.h"
#include "dataplane/config/config_builder.h"

namespace headgate::admin {

// Series about clusters with limits, of the first thousand: what is in use, what waits, what was
// turned away. Control thread.
void CollectLimits(const config::ConfigBuilder& builder, MetricsWriter& out);

}  // namespace headgate::admin
