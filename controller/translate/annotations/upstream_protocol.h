// backend-protocol, proxy-ssl-* and headgate.dev/upstream-proxy-protocol: how endpoints are spoken
// to.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 10> kUpstreamProtocolNames = {
    "backend-protocol", "proxy-ssl-verify",      "proxy-ssl-verify-depth",
    "proxy-ssl-name",   "proxy-ssl-server-name", "proxy-ssl-protocols",
    "proxy-ssl-secret", "proxy-ssl-ciphers",     "headgate.dev/upstream-proxy-protocol",
    "secure-backends"};

// Whatever would weaken a check that is asked for denies; other bad values are ignored. Unlike in
// ingress-nginx the check works without a Secret, against the authorities that the system trusts.
void ReadUpstreamProtocol(AnnotationReader& reader, IngressSettings& settings);

}  // namespace headgate::translate
