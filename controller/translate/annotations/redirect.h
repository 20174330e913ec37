// permanent-redirect and temporal-redirect with their codes: every request is answered with this
// Location. relative-redirects and use-port-in-redirects: what redirects of our own say.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 6> kRedirectNames = {
    "permanent-redirect",     "permanent-redirect-code", "temporal-redirect",
    "temporal-redirect-code", "relative-redirects",      "use-port-in-redirects"};

// A bad value refuses the Ingress, but of use-port-in-redirects, where it is ignored; a code out of
// range becomes the default one. temporal-redirect wins.
void ReadRedirect(AnnotationReader& reader, IngressSettings& settings);

}  // namespace headgate::translate
