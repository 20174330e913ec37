// Who the client is when load balancers stand before us. use-forwarded-headers, enable-real-ip,
// forwarded-for-header, compute-full-forwarded-for: X-Forwarded-* of load balancers.
// use-proxy-protocol, proxy-protocol-header-timeout: the PROXY protocol. proxy-real-ip-cidr: from
// whom either is believed; others are not, whatever they say about themselves (ingress-nginx
// believes their scheme, host and port).
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/config_map/reader.h"
#include "controller/translate/config_map/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 7> kClientAddressOptions = {
    "use-forwarded-headers",        "enable-real-ip",     "forwarded-for-header",
    "compute-full-forwarded-for",   "proxy-real-ip-cidr", "use-proxy-protocol",
    "proxy-protocol-header-timeout"};

void ReadClientAddressOptions(OptionReader& reader, GlobalSettings& global);

}  // namespace headgate::translate
