// ssl-redirect: plain HTTP goes to https:// when the host has TLS configured.
// force-ssl-redirect: it always does.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 2> kSslRedirectNames = {"ssl-redirect",
                                                                      "force-ssl-redirect"};

// A bad value is ignored.
void ReadSslRedirect(AnnotationReader& reader, IngressSettings& settings);

}  // namespace headgate::translate
