#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace headgate::tls {

enum class Version : uint8_t { kTls12, kTls13 };

// How TLS is spoken with clients. A value.
struct ServerPolicy {
  Version min_version = Version::kTls12;
  Version max_version = Version::kTls13;
  // OpenSSL cipher list for TLS 1.2. Empty: kDefaultCiphers.
  std::string ciphers = {};
  // OpenSSL list of groups. Empty: OpenSSL's default.
  std::string groups = {};
  // Diffie-Hellman parameters for DHE ciphers, PEM. Empty: these are not used.
  std::string dh_parameters = {};
  bool resumption = true;
  std::chrono::seconds session_timeout{600};
  // Only names that somebody has configured; see HandshakePolicy::known_name.
  bool reject_unknown_names = false;

  bool operator==(const ServerPolicy&) const = default;
};

// Forward-secret AEAD ciphers, AES-128 first: it is the cheapest with AES instructions. The last
// two count only with dh_parameters.
inline constexpr char kDefaultCiphers[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "DHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES128-GCM-SHA256";

// Whether OpenSSL takes the policy; the status says which field is wrong.
absl::Status Validate(const ServerPolicy& policy);
absl::Status ValidateCiphers(const std::string& ciphers);

}  // namespace headgate::tls
