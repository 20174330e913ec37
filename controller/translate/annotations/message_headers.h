// upstream-vhost, connection-proxy-header, and what concerns the log: what is changed in the heads of requests.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 6> kMessageHeaderNames = {
    "upstream-vhost",     "connection-proxy-header", "headgate.dev/hide-headers",
    "enable-access-log", "enable-rewrite-log",      "http2-push-preload"};

// A bad value of the first two, and of http2-push-preload, refuses the Ingress; others are ignored.
void ReadMessageHeaders(AnnotationReader& reader, IngressSettings& settings);

}  // namespace headgate::translate
