// load-balance, proxy-next-upstream, proxy-next-upstream-tries, proxy-next-upstream-timeout,
// retry-non-idempotent, proxy-connect-timeout, proxy-send-timeout, proxy-read-timeout: how
// upstreams are treated that neither their Service nor an Ingress says anything about.
// upstream-keepalive-connections, upstream-keepalive-time, upstream-keepalive-timeout,
// upstream-keepalive-requests: connections with endpoints that wait for the next request.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/config_map/reader.h"
#include "controller/translate/config_map/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 14> kUpstreamOptions = {
    "proxy-connect-timeout",
    "proxy-send-timeout",
    "proxy-read-timeout",
    "proxy-http-version",
    "service-upstream",
    "load-balance",
    "proxy-next-upstream",
    "proxy-next-upstream-tries",
    "proxy-next-upstream-timeout",
    "retry-non-idempotent",
    "upstream-keepalive-connections",
    "upstream-keepalive-time",
    "upstream-keepalive-timeout",
    "upstream-keepalive-requests"};

void ReadUpstreamOptions(OptionReader& reader, GlobalSettings& global);

}  // namespace headgate::translate
