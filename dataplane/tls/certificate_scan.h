#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

// A look at certificates and keys that costs microseconds where OpenSSL's parsers take half a
// millisecond: enough to know that they are whole, belong together and are strong enough. Only the
// usual kinds are known here (RSA from 2048 bits, ECDSA on the NIST curves, signed with SHA-2); for
// everything else, and whatever looks wrong, the answer is "ask OpenSSL". Bytes are DER; nothing
// outside them is read. Pure.
namespace headgate::tls {

struct CertificateFacts {
  int key_type = 0;  // EVP_PKEY_RSA or EVP_PKEY_EC
  // Seconds since the epoch.
  int64_t not_before = 0;
  int64_t not_after = 0;
  // RSA: modulus and exponent, as two INTEGERs; EC: the point, after 0x04.
  std::string_view public_key;
  std::string_view curve;  // OID; empty for RSA
};

// Of an X.509 certificate (RFC 5280 section 4.1).
std::optional<CertificateFacts> ScanCertificate(std::string_view der);

// Whether the private key (PKCS#8, PKCS#1 or SEC1) holds the same public key; false also when it
// does not say.
bool ScanKeyMatches(const CertificateFacts& certificate, std::string_view key_der);

}  // namespace headgate::tls
