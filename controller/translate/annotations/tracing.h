// enable-opentelemetry: whether requests are traced. opentelemetry-trust-incoming-span,
// opentelemetry-operation-name: how; read only where the Ingress itself has them traced.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 3> kTracingNames = {
    "enable-opentelemetry", "opentelemetry-trust-incoming-span", "opentelemetry-operation-name"};

void ReadTracing(AnnotationReader& reader, IngressSettings& settings);

}  // namespace headgate::translate
