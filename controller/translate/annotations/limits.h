// headgate.dev/max-connections, max-pending-requests, max-requests-per-endpoint, warm-connections,
// on a Service or an Ingress; in the ConfigMap too, without prefix.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/upstream_settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 4> kLimitNames = {
    "headgate.dev/max-connections", "headgate.dev/max-pending-requests",
    "headgate.dev/max-requests-per-endpoint", "headgate.dev/warm-connections"};

// The value of one of these, into `out`. Empty: it is good; else what would be accepted.
std::string_view ParseLimitSetting(std::string_view name, std::string_view value,
                                   LimitSettings& out);

// A bad value is ignored.
void ReadLimits(AnnotationReader& reader, UpstreamSettings& settings);

}  // namespace headgate::translate
