#pragma once

#include <cstdint>
#include <string>

namespace headgate::base {

// What a client showed of itself in a TLS handshake with a host that asks for certificates.
// Immutable; made once a connection.
struct ClientIdentity {
  enum class Verdict : uint8_t {
    kNone,        // it showed no certificate
    kVerified,    // signed by a trusted CA, valid now, not revoked
    kUnverified,  // signed by nobody we know
    kInvalid,     // expired, revoked, malformed, ...
  };
  Verdict verdict = Verdict::kNone;
  // For the latter two: "FAILED:" and OpenSSL's words.
  std::string failure;
  // RFC 2253; empty without a certificate.
  std::string subject_dn;
  std::string issuer_dn;
  // PEM, percent-encoded so that it fits a header field.
  std::string certificate;
  // tls::ClientAuth::fingerprint() of the rules that held.
  uint64_t rules = 0;
};

}  // namespace headgate::base
