// whitelist-source-range and denylist-source-range, for Ingresses without lists of their own;
// no-auth-locations; allow-cross-namespace-resources; limit-req-status-code,
// limit-conn-status-code, limit-conn-zone-variable, limit-rate, limit-rate-after; block-cidrs,
// block-user-agents, block-referers; global-auth-url and what belongs to it, for Ingresses that
// name no server themselves.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/config_map/reader.h"
#include "controller/translate/config_map/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 21> kAccessOptions = {
    "global-auth-url",
    "global-auth-method",
    "global-auth-signin",
    "global-auth-signin-redirect-param",
    "global-auth-response-headers",
    "global-auth-request-redirect",
    "global-auth-always-set-cookie",
    "global-auth-cache-duration",
    "global-auth-cache-key",
    "whitelist-source-range",
    "denylist-source-range",
    "no-auth-locations",
    "allow-cross-namespace-resources",
    "limit-req-status-code",
    "limit-conn-status-code",
    "limit-conn-zone-variable",
    "limit-rate",
    "limit-rate-after",
    "block-cidrs",
    "block-user-agents",
    "block-referers"};

// A bad list of source ranges, or a bad part of global-auth, denies every request to those
// Ingresses. Of the lists of what is blocked each item counts by itself.
void ReadAccessOptions(OptionReader& reader, GlobalSettings& global);

}  // namespace headgate::translate
