// Diffie-Hellman parameters for the DHE ciphers of TLS 1.2. Pure.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/openssl_ptr.h"

namespace headgate {

// PEM as `openssl dhparam` writes it, with -dsaparam too, with a prime of 2048 to 8192 bits: less
// can be broken, more costs every handshake too much. The status says what is wrong.
absl::StatusOr<KeyPtr> ParseDhParameters(std::string_view pem);
// The same parameters as PEM, without anything else that was around them.
std::string WriteDhParameters(const EVP_PKEY* parameters);

}  // namespace headgate
