#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/metrics.h"
#include "dataplane/config/config_builder.h"
#include "dataplane/health/checker.h"

namespace headgate::admin {

// What is being served, as JSON for people and tools: settings, hosts with their routes, clusters
// with their endpoints, certificates by host, what probes say. No keys, no secret data. Thread: the
// control thread.
std::string RenderConfig(const config::ConfigBuilder& builder, std::string_view version,
                         const std::vector<health::UpstreamStatus>& health);

// Series about the configuration. Thread: the control thread.
void CollectConfig(const config::ConfigBuilder& builder, MetricsWriter& out);

}  // namespace headgate::admin
