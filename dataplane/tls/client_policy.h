#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "dataplane/tls/certificate.h"
#include "dataplane/tls/server_policy.h"
#include "dataplane/tls/trust_store.h"

namespace headgate::tls {

// How TLS is spoken with the endpoints of a cluster. Immutable once shared.
struct ClientPolicy {
  // Sent as server name (SNI); empty: none is sent.
  std::string server_name;
  // The peer must show a certificate that `trust` vouches for and that holds `verify_name`, a DNS
  // name or an address.
  bool verify = false;
  std::string verify_name;
  // Intermediate certificates between the peer's and a trusted one.
  uint32_t verify_depth = 1;
  std::shared_ptr<const TrustStore> trust;  // set when `verify` is
  // Shown to a peer that asks; may be null.
  std::shared_ptr<const Certificate> certificate;
  Version min_version = Version::kTls12;
  Version max_version = Version::kTls13;
  // OpenSSL cipher list for TLS 1.2. Empty: OpenSSL's default.
  std::string ciphers;
};

// Whether OpenSSL takes the versions and ciphers of the policy; the status says which field is
// wrong.
absl::Status Validate(const ClientPolicy& policy);

}  // namespace headgate::tls
