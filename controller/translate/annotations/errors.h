// custom-http-errors, disable-proxy-intercept-errors, default-backend: whose bodies failures have.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 3> kErrorNames = {
    "custom-http-errors", "disable-proxy-intercept-errors", "default-backend"};

// A bad value of the first and last refuses the Ingress.
void ReadErrors(AnnotationReader& reader, IngressSettings& settings);

// A list of statuses from `least` to 599, sorted, each once; nothing when one is none.
std::optional<std::vector<uint16_t>> ParseStatuses(std::string_view list, uint16_t least);

}  // namespace headgate::translate
