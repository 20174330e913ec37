#pragma once

#include "absl/status/statusor.h"
#include "dataplane/config/upstream_health.h"
#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::config {

// Checked, with defaults filled in. Errors name the field within the Cluster resource.
absl::StatusOr<HealthCheck> CompileHealthCheck(const v1::HealthCheck& in);
absl::StatusOr<OutlierPolicy> CompileOutliers(const v1::Outliers& in);

// Everything in a check that tells probes apart, as text.
std::string Describe(const HealthCheck& check);

}  // namespace headgate::config
