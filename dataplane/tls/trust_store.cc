#include "dataplane/tls/trust_store.h"

#include <openssl/pem.h>

#include <string>

#include "common/check.h"
#include "dataplane/tls/openssl_ptr.h"

namespace headgate::tls {
namespace {

constexpr size_t kMaxPemBytes = 4 * 1024 * 1024;

}  // namespace

TrustStore::~TrustStore() { X509_STORE_free(store_); }

absl::StatusOr<std::shared_ptr<const TrustStore>> TrustStore::FromPem(std::string_view pem) {
  if (pem.size() > kMaxPemBytes) return absl::InvalidArgumentError("is longer than 4 MiB");
  X509_STORE* store = X509_STORE_new();
  HEADGATE_CHECK(store != nullptr, "out of memory");
  std::shared_ptr<const TrustStore> out(new TrustStore(store));
  const OpenSslPtr<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  size_t count = 0;
  while (true) {
    const OpenSslPtr<X509> certificate(PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr));
    if (certificate == nullptr) break;
    X509_STORE_add_cert(store, certificate.get());
    ++count;
  }
  // The end of the text shows as "no start line"; anything else is a broken certificate.
  const bool broken = ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (broken) return absl::InvalidArgumentError("holds a certificate that cannot be parsed");
  if (count == 0) return absl::InvalidArgumentError("holds no PEM certificate");
  return out;
}

std::shared_ptr<const TrustStore> TrustStore::System() {
  static const auto* const kSystem = [] {
    X509_STORE* store = X509_STORE_new();
    HEADGATE_CHECK(store != nullptr, "out of memory");
    X509_STORE_set_default_paths(store);
    ERR_clear_error();
    return new std::shared_ptr<const TrustStore>(
        new TrustStore(store));  // never destroyed: workers may outlive main
  }();
  return *kSystem;
}

}  // namespace headgate::tls
