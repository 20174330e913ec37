// Annotations that this version cannot put into effect and must not ignore.
//
// Some keep requests out: authentication, address lists. Serving an Ingress
// without the protection that it asks for would open it to everybody, so it is closed. And a canary
// Ingress repeats the host and path of another to take a share of its requests; as a plain Ingress
// it could take all of them, so it is refused.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 9> kUnavailableNames = {"auth-type",
                                                                       "auth-secret",
                                                                       "auth-url",
                                                                       "allowlist-source-range",
                                                                       "whitelist-source-range",
                                                                       "denylist-source-range",
                                                                       "enable-modsecurity",
                                                                       "enable-owasp-core-rules",
                                                                       "canary"};

void ReadUnavailable(AnnotationReader& reader, IngressSettings& settings);

}  // namespace headgate::translate
