#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "dataplane/config/tracing.h"
#include "proto/headgate/v1/tracing.pb.h"

namespace headgate::config {

// `field`, here and below: the path of the message in its resource.
absl::StatusOr<std::shared_ptr<const Tracing>> CompileTracing(const std::string& field,
                                                              const v1::Tracing& in);
absl::StatusOr<RouteTracing> CompileRouteTracing(const std::string& field,
                                                 const v1::RouteTracing& in);

}  // namespace headgate::config
