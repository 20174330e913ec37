// permanent-redirect and temporal-redirect with their codes: every request is answered with this
// Location.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 4> kRedirectNames = {
    "permanent-redirect", "permanent-redirect-code", "temporal-redirect", "temporal-redirect-code"};

// A bad value refuses the Ingress; a code out of range becomes the default one. temporal-redirect
// wins.
void ReadRedirect(AnnotationReader& reader, IngressSettings& settings);

}  // namespace headgate::translate
