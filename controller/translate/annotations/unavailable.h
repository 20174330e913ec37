// Annotations that this version cannot put into effect and must not ignore.
//
// They keep requests out: application firewalls, which the ConfigMap may ask for too. Serving an
// Ingress without the protection that it asks for would open it to everybody, so it is closed.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 2> kUnavailableNames = {"enable-modsecurity",
                                                                      "enable-owasp-core-rules"};

void ReadUnavailable(AnnotationReader& reader, IngressSettings& settings);

}  // namespace headgate::translate
