// ssl-ciphers: the TLS 1.2 ciphers of the host. ssl-prefer-server-ciphers: whether the first of
// ours or of the client's is taken.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 2> kSslCiphersNames = {"ssl-ciphers",
                                                                     "ssl-prefer-server-ciphers"};

// A bad list refuses the Ingress; the other is ignored.
void ReadSslCiphers(AnnotationReader& reader, IngressSettings& settings);

}  // namespace headgate::translate
