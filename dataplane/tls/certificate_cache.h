#pragma once

#include <openssl/types.h>

#include <cstddef>
#include <cstdint>
#include <list>

#include "absl/container/flat_hash_map.h"
#include "dataplane/tls/certificate.h"

struct stack_st_X509;  // STACK_OF(X509), which openssl/types.h does not declare

namespace headgate::tls {

// A certificate in OpenSSL's form. Owned by the cache.
struct ParsedCertificate {
  X509* leaf = nullptr;
  EVP_PKEY* key = nullptr;
  stack_st_X509* chain = nullptr;
};

// The certificates that one worker has used lately, parsed. Bounded, so that memory does not grow
// with the number of certificates configured; one per worker, so that workers do not contend for
// OpenSSL's reference counts and locks. Thread: the worker's.
class CertificateCache {
 public:
  static constexpr size_t kDefaultCapacity = 512;

  explicit CertificateCache(size_t capacity = kDefaultCapacity) : capacity_(capacity) {}
  ~CertificateCache();
  CertificateCache(const CertificateCache&) = delete;
  CertificateCache& operator=(const CertificateCache&) = delete;

  // The parsed form, or nullptr if OpenSSL cannot parse it (which CertificateParser rules out short
  // of running out of memory). Valid until the next call.
  const ParsedCertificate* Get(const Certificate& certificate);

  size_t size() const { return order_.size(); }

 private:
  struct Entry {
    uint64_t id;
    ParsedCertificate parsed;
  };

  const size_t capacity_;
  std::list<Entry> order_;  // most recently used first
  absl::flat_hash_map<uint64_t, std::list<Entry>::iterator> by_id_;
};

}  // namespace headgate::tls
