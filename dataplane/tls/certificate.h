#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/secret_bytes.h"
#include "dataplane/tls/certificate_scan.h"

namespace headgate::tls {

// A certificate chain with its key, checked and immutable, in the form that takes the least memory:
// DER, about 1.5 KiB for an ECDSA leaf. OpenSSL's parsed objects take ten times that, so workers
// parse on first use and keep a bounded number (see CertificateCache). Intermediates are shared
// between the certificates that name them.
//
// Thread: made on the control thread, read by any. The key is wiped when the last reference goes.
class Certificate {
 public:
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;

  // Unique in this process and never used again: what caches go by.
  uint64_t id() const { return id_; }
  std::string_view leaf_der() const { return leaf_; }
  const std::vector<std::shared_ptr<const std::string>>& intermediates_der() const {
    return intermediates_;
  }
  std::string_view key_der() const { return key_.Reveal(); }
  int key_type() const { return key_type_; }  // EVP_PKEY_RSA, EVP_PKEY_EC, ...
  absl::Time not_before() const { return absl::FromUnixSeconds(not_before_); }
  absl::Time not_after() const { return absl::FromUnixSeconds(not_after_); }

 private:
  friend class CertificateParser;
  Certificate() = default;

  uint64_t id_ = 0;
  int key_type_ = 0;
  int64_t not_before_ = 0;
  int64_t not_after_ = 0;
  std::string leaf_;
  SecretBytes key_;
  std::vector<std::shared_ptr<const std::string>> intermediates_;
};

// Turns PEM into Certificates. Control thread only.
class CertificateParser {
 public:
  CertificateParser();
  ~CertificateParser();

  // `chain_pem`: leaf first. `key_pem`: not encrypted. Refused with a reason that holds no key
  // material: text that is not PEM, an encrypted key, a key that does not belong to the leaf, a key
  // that OpenSSL finds too weak. An expired certificate is not refused (ingress-nginx serves it,
  // too): look at not_after. Usual certificates are looked at but not parsed (see
  // certificate_scan.h), for thousands come at once after a restart; should OpenSSL refuse one all
  // the same at its first handshake, the default certificate is served. "chain_pem: ..." and
  // "key_pem: ..." in the reason say which of the two is at fault.
  absl::StatusOr<std::shared_ptr<const Certificate>> Parse(std::string_view chain_pem,
                                                           std::string_view key_pem);

 private:
  std::shared_ptr<const std::string> Share(std::string der);
  // Asks OpenSSL about everything.
  absl::Status CheckAll(const std::vector<std::string>& ders, const SecretBytes& key_der,
                        CertificateFacts& facts);

  SSL_CTX*
      probe_;  // takes each certificate once, so that what a worker would refuse is refused here
  uint64_t next_id_ = 1;
  // By hash of the content.
  absl::flat_hash_map<size_t, std::weak_ptr<const std::string>> shared_;
  size_t sweep_at_ = 64;  // size of shared_ at which it is searched for dead entries
};

}  // namespace headgate::tls
