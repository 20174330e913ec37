// enable-cors and cors-*: which origins may use the Ingress from scripts of their pages.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 7> kCorsNames = {
    "enable-cors",         "cors-allow-origin",      "cors-allow-methods", "cors-allow-headers",
    "cors-expose-headers", "cors-allow-credentials", "cors-max-age"};

// A bad list of origins denies the Ingress: the default would let everybody in. All other bad
// values are ignored.
void ReadCors(AnnotationReader& reader, IngressSettings& settings);

}  // namespace headgate::translate
