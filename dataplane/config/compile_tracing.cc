#include "dataplane/config/compile_tracing.h"

#include <cstdint>
#include <utility>

#include "common/host_port.h"
#include "dataplane/config/compile_template.h"
#include "dataplane/config/compile_values.h"

namespace headgate::config {

absl::StatusOr<RouteTracing> CompileRouteTracing(const std::string& field,
                                                 const v1::RouteTracing& in) {
  RouteTracing out;
  if (in.has_enabled()) out.enabled = in.enabled();
  if (in.has_trust_incoming()) out.trust_incoming = in.trust_incoming();
  HEADGATE_ASSIGN_OR_RETURN(out.operation_name,
                            CompileTemplate(field + ".operation_name", in.operation_name()));
  return out;
}

absl::StatusOr<std::shared_ptr<const Tracing>> CompileTracing(const std::string& field,
                                                              const v1::Tracing& in) {
  auto out = std::make_shared<Tracing>();
  RouteTracing defaults;
  HEADGATE_ASSIGN_OR_RETURN(defaults, CompileRouteTracing(field + ".defaults", in.defaults()));
  out->enabled = defaults.enabled.value_or(out->enabled);
  out->trust_incoming = defaults.trust_incoming.value_or(out->trust_incoming);
  out->operation_name = std::move(defaults.operation_name);
  switch (in.sampler()) {
    case v1::Tracing::SAMPLER_UNSPECIFIED:
    case v1::Tracing::ALWAYS_ON: break;
    case v1::Tracing::ALWAYS_OFF: out->sampler = Tracing::Sampler::kAlwaysOff; break;
    case v1::Tracing::TRACE_ID_RATIO: out->sampler = Tracing::Sampler::kTraceIdRatio; break;
    default: return FieldError(field + ".sampler", "unknown sampler");
  }
  if (!(in.ratio() >= 0 && in.ratio() <= 1))
    return FieldError(field + ".ratio", "is not within 0 and 1");
  out->ratio = in.ratio();
  out->parent_based = in.parent_based();
  if (!in.collector().empty()) {
    if (!ParseHostPort(in.collector()).ok())
      return FieldError(field + ".collector", "is not a host and a port");
    out->collector = in.collector();
  }
  if (!in.service_name().empty()) out->service_name = in.service_name();
  // Each span takes a kilobyte or so.
  constexpr uint32_t kMostSpans = 1'000'000;
  if (in.max_queue_size() != 0) {
    HEADGATE_RETURN_IF_ERROR(
        CheckRange(field + ".max_queue_size", in.max_queue_size(), 1, kMostSpans));
    out->max_queue_size = in.max_queue_size();
  }
  if (in.max_export_batch_size() != 0) {
    HEADGATE_RETURN_IF_ERROR(
        CheckRange(field + ".max_export_batch_size", in.max_export_batch_size(), 1, kMostSpans));
    out->max_export_batch_size = in.max_export_batch_size();
  }
  if (in.has_schedule_delay()) {
    HEADGATE_ASSIGN_OR_RETURN(
        out->schedule_delay,
        CompileDuration(field + ".schedule_delay", in.schedule_delay(), ZeroDuration::kRefused));
  }
  return out;
}

}  // namespace headgate::config
