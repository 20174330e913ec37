#pragma once

#include <string>
#include <string_view>

#include "common/metrics.h"
#include "dataplane/config/config_builder.h"

namespace headgate::admin {

// What is being served, as JSON for people and tools: settings, hosts with their routes, clusters with their
// endpoints, certificates by host. No keys, no secret data. Thread: the control thread.
std::string RenderConfig(const config::ConfigBuilder& builder, std::string_view version);

// Series about the configuration. Thread: the control thread.
void CollectConfig(const config::ConfigBuilder& builder, MetricsWriter& out);

}  // namespace headgate::admin
