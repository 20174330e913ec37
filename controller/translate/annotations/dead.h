// Names that ingress-nginx has given up, or never had, and that are still in manifests: without
// effect, and said to be.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 20> kDeadNames = {"session-cookie-hash",
                                                                "enable-websockets",
                                                                "websocket-services",
                                                                "add-base-url",
                                                                "base-url-scheme",
                                                                "upstream-max-fails",
                                                                "upstream-fail-timeout",
                                                                "grpc-backend",
                                                                "client-header-buffer-size",
                                                                "use-forwarded-headers",
                                                                "global-rate-limit",
                                                                "global-rate-limit-window",
                                                                "global-rate-limit-key",
                                                                "global-rate-limit-ignored-cidrs",
                                                                "enable-influxdb",
                                                                "enable-opentracing",
                                                                "secure-verify-ca-secret",
                                                                "mirror-uri",
                                                                "rewrite-log",
                                                                "from-to-www"};
// Beginnings of more of them.
inline constexpr std::array<std::string_view, 3> kDeadPrefixes = {"influxdb-", "opentracing-",
                                                                  "lua-resty-waf"};

// Whether it begins with one of these.
bool IsDeadByPrefix(std::string_view name);

void ReadDead(AnnotationReader& reader, IngressSettings& settings);

}  // namespace headgate::translate
