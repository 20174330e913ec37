// affinity, affinity-mode and session-cookie-*: sessions stay with an endpoint. The mode is the
// upstream's, the cookie that of each location.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/settings.h"
#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 12> kAffinityNames = {
    "affinity",
    "affinity-mode",
    "session-cookie-name",
    "session-cookie-secure",
    "session-cookie-expires",
    "session-cookie-max-age",
    "session-cookie-path",
    "session-cookie-domain",
    "session-cookie-samesite",
    "session-cookie-conditional-samesite-none",
    "session-cookie-change-on-failure",
    "affinity-canary-behavior"};

// Bad values are ignored. affinity-canary-behavior is checked; there are no canaries yet.
void ReadAffinity(AnnotationReader& reader, IngressSettings& settings);

// `path`: of the Ingress, for cookies without a path of their own.
void SetSessionCookie(const SessionCookieSettings& settings, std::string_view path,
                      v1::SessionCookie& out);

}  // namespace headgate::translate
