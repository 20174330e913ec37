// auth-type, auth-secret, auth-secret-type, auth-realm: users who come in by name and password.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 4> kBasicAuthNames = {
    "auth-type", "auth-secret", "auth-secret-type", "auth-realm"};

// A bad type, type of Secret or realm refuses the Ingress. A bad or missing reference denies every
// request, and so does one without a type. Whether the Secret may be used, and is there, is for
// later.
void ReadBasicAuth(AnnotationReader& reader, IngressSettings& settings);

}  // namespace headgate::translate
