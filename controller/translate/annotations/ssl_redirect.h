// ssl-redirect: plain HTTP goes to https:// when the host has TLS configured.
// force-ssl-redirect: it always does. preserve-trailing-slash: a "/" at the end of the URL is kept.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 3> kSslRedirectNames = {
    "ssl-redirect", "force-ssl-redirect", "preserve-trailing-slash"};

// A bad value is ignored.
void ReadSslRedirect(AnnotationReader& reader, IngressSettings& settings);

}  // namespace headgate::translate
