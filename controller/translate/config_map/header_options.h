// proxy-set-headers, add-headers, global-allowed-response-headers, server-tokens,
// allow-backend-server-header, hide-headers, generate-request-id, proxy-add-original-uri-header,
// and the defaults of proxy-cookie-*, proxy-redirect-* and of whose bodies failures have: what is
// changed in the heads of all messages.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/config_map/reader.h"
#include "controller/translate/config_map/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 14> kHeaderOptions = {
    "server-tokens",
    "allow-backend-server-header",
    "hide-headers",
    "generate-request-id",
    "proxy-add-original-uri-header",
    "proxy-cookie-domain",
    "proxy-cookie-path",
    "proxy-redirect-from",
    "proxy-redirect-to",
    "custom-http-errors",
    "disable-proxy-intercept-errors",
    "proxy-set-headers",
    "add-headers",
    "global-allowed-response-headers"};

void ReadHeaderOptions(OptionReader& reader, GlobalSettings& global);

}  // namespace headgate::translate
