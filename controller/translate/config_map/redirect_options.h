// ssl-redirect, force-ssl-redirect, preserve-trailing-slash: the defaults of the annotations.
// http-redirect-code: the status of redirects to HTTPS. no-tls-redirect-locations: path prefixes
// that are exempt from them.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/config_map/reader.h"
#include "controller/translate/config_map/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 7> kRedirectOptions = {
    "ssl-redirect",       "force-ssl-redirect",        "preserve-trailing-slash",
    "http-redirect-code", "no-tls-redirect-locations", "use-port-in-redirects",
    "relative-redirects"};

void ReadRedirectOptions(OptionReader& reader, GlobalSettings& global);

}  // namespace headgate::translate
