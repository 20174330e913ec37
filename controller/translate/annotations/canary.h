// canary, canary-*: the Ingress gets a share of the requests for the hosts and paths that it has in
// common with another.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 7> kCanaryNames = {
    "canary",           "canary-weight",          "canary-weight-total",
    "canary-by-header", "canary-by-header-value", "canary-by-header-pattern",
    "canary-by-cookie"};

// Bad values are ignored; without canary: true so are the others.
void ReadCanary(AnnotationReader& reader, IngressSettings& settings);

}  // namespace headgate::translate
