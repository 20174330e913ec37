// The names that a certificate is for. Pure.
#pragma once

#include <openssl/x509.h>

#include <string>
#include <vector>

namespace headgate {

// DNS names (RFC 5280 section 4.2.1.6), then the common name; in lower case, each once, in the
// order of the certificate. Bytes are as the certificate has them, which need not be names or text.
std::vector<std::string> CertificateNames(const X509* certificate);

}  // namespace headgate
