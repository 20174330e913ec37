// Certificates made here: the one for hosts without any, those of the admission webhook.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/openssl_ptr.h"
#include "common/secret_bytes.h"

namespace headgate::app {

struct CertificateSpec {
  using Fields = std::vector<std::pair<std::string, std::string>>;
  Fields subject;     // such as {"CN", "web"}
  Fields extensions;  // as openssl-x509v3_config(5) has them, such as {"subjectAltName", "DNS:web"}
  absl::Time not_before;
  absl::Time not_after;
};

struct KeyedCertificate {
  X509Ptr certificate;
  KeyPtr key;
};

// A certificate (X.509 version 3, random serial number, SHA-256) for `key`. `issuer`: who signs;
// null: the key itself. INTERNAL: out of memory, or of randomness; or a field that OpenSSL does not
// take.
absl::StatusOr<KeyedCertificate> Issue(const CertificateSpec& spec, KeyPtr key,
                                       const KeyedCertificate* issuer = nullptr);

std::string CertificateToPem(X509* certificate);
// PKCS#8.
SecretBytes KeyToPem(const EVP_PKEY* key);

}  // namespace headgate::app
