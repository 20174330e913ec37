// Whether OpenSSL takes a list of its own syntax: asked before it reaches a data plane, which would
// refuse everything that comes with it. Pure.
#pragma once

#include <string_view>

namespace headgate::translate {

// TLS 1.2 ciphers, "ECDHE-RSA-AES128-GCM-SHA256:...".
bool IsCipherList(std::string_view text);
// Groups for key exchange, "X25519:prime256v1".
bool IsGroupList(std::string_view text);

}  // namespace headgate::translate
