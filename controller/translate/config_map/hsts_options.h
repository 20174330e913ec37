// hsts, hsts-max-age, hsts-include-subdomains, hsts-preload: the field Strict-Transport-Security
// (RFC 6797) of every response over TLS. On by default, as in ingress-nginx.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/config_map/reader.h"
#include "controller/translate/config_map/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 4> kHstsOptions = {
    "hsts", "hsts-max-age", "hsts-include-subdomains", "hsts-preload"};

void ReadHstsOptions(OptionReader& reader, GlobalSettings& global);

}  // namespace headgate::translate
