#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "dataplane/policy/text_template.h"

namespace headgate::config {

// proto/headgate/v1/tracing.proto, RouteTracing.
struct RouteTracing {
  std::optional<bool> enabled;
  std::optional<bool> trust_incoming;
  policy::TextTemplate operation_name;  // empty: that of the settings
};

// Which requests are traced, and where their spans go, with defaults filled in.
struct Tracing {
  enum class Sampler : uint8_t { kAlwaysOn, kAlwaysOff, kTraceIdRatio };

  bool enabled = false;
  bool trust_incoming = true;
  policy::TextTemplate operation_name;  // empty: method and route
  Sampler sampler = Sampler::kAlwaysOn;
  double ratio = 0;
  bool parent_based = false;

  // Where to. An empty collector: nowhere.
  std::string collector;
  std::string service_name = "headgate";
  size_t max_queue_size = 2048;
  size_t max_export_batch_size = 512;
  std::chrono::milliseconds schedule_delay{5'000};
};

}  // namespace headgate::config
