// headgate.dev/health-check*, max-fails, fail-timeout, outlier-*, slow-start and backup-service, on
// a Service or an Ingress; all but the last in the ConfigMap too, without prefix.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/upstream_settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 16> kHealthNames = {
    "headgate.dev/health-check",
    "headgate.dev/health-check-path",
    "headgate.dev/health-check-host",
    "headgate.dev/health-check-port",
    "headgate.dev/health-check-interval",
    "headgate.dev/health-check-timeout",
    "headgate.dev/health-check-rise",
    "headgate.dev/health-check-fall",
    "headgate.dev/health-check-expected-statuses",
    "headgate.dev/max-fails",
    "headgate.dev/fail-timeout",
    "headgate.dev/outlier-consecutive-5xx",
    "headgate.dev/outlier-ejection-time",
    "headgate.dev/outlier-max-ejected-percent",
    "headgate.dev/slow-start",
    "headgate.dev/backup-service"};

// The value of one of these, into `out`. Empty: it is good; else what would be accepted.
std::string_view ParseHealthSetting(std::string_view name, std::string_view value,
                                    HealthSettings& out);

// A bad value is ignored.
void ReadHealth(AnnotationReader& reader, UpstreamSettings& settings);

}  // namespace headgate::translate
