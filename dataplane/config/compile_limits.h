#pragma once

#include "absl/status/statusor.h"
#include "dataplane/config/upstream_limits.h"
#include "proto/headgate/v1/upstream.pb.h"

namespace headgate::config {

// Refuses more than a million of anything.
absl::StatusOr<UpstreamLimits> CompileLimits(const v1::UpstreamLimits& in);

}  // namespace headgate::config
