#include "dataplane/config/compile_limits.h"

#include <cstdint>

#include "dataplane/config/compile_values.h"

namespace headgate::config {

absl::StatusOr<UpstreamLimits> CompileLimits(const v1::UpstreamLimits& in) {
  constexpr uint32_t kMost = 1'000'000;
  UpstreamLimits out;
  HEADGATE_RETURN_IF_ERROR(CheckRange("limits.max_connections", in.max_connections(), 0, kMost));
  HEADGATE_RETURN_IF_ERROR(
      CheckRange("limits.max_pending_requests", in.max_pending_requests(), 0, kMost));
  HEADGATE_RETURN_IF_ERROR(
      CheckRange("limits.max_requests_per_endpoint", in.max_requests_per_endpoint(), 0, kMost));
  out.max_connections = in.max_connections();
  if (in.has_max_pending_requests()) out.max_pending = in.max_pending_requests();
  out.max_requests_per_endpoint = in.max_requests_per_endpoint();
  return out;
}

}  // namespace headgate::config
