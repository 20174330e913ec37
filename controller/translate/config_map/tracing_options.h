// enable-opentelemetry, opentelemetry-trust-incoming-span, opentelemetry-operation-name: which
// requests are traced whose Ingress does not say, and how. otlp-collector-host,
// otlp-collector-port, otel-*: which traces are sampled, and where spans go.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/config_map/reader.h"
#include "controller/translate/config_map/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 12> kTracingOptions = {
    "enable-opentelemetry",
    "opentelemetry-trust-incoming-span",
    "opentelemetry-operation-name",
    "otlp-collector-host",
    "otlp-collector-port",
    "otel-service-name",
    "otel-sampler",
    "otel-sampler-ratio",
    "otel-sampler-parent-based",
    "otel-max-queuesize",
    "otel-schedule-delay-millis",
    "otel-max-export-batch-size"};

// Nothing is traced, whatever Ingresses say, unless tracing is switched on here or a collector is
// named.
void ReadTracingOptions(OptionReader& reader, GlobalSettings& global);

}  // namespace headgate::translate
