// upstream-vhost, connection-proxy-header, custom-headers, and what concerns the log: what is
// changed in heads.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 7> kMessageHeaderNames = {
    "upstream-vhost",    "connection-proxy-header", "headgate.dev/hide-headers",
    "enable-access-log", "enable-rewrite-log",      "http2-push-preload",
    "custom-headers"};

// A bad value of the first two, and of http2-push-preload, refuses the Ingress; one of
// custom-headers denies it; others are ignored.
void ReadMessageHeaders(AnnotationReader& reader, IngressSettings& settings);

}  // namespace headgate::translate
