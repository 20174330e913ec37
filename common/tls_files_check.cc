#include "common/tls_files_check.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "common/openssl_ptr.h"
#include "common/strings.h"

namespace headgate {
namespace {

BioPtr BioOf(std::string_view pem) {
  return BioPtr(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

X509Ptr FirstCertificate(std::string_view pem) {
  return X509Ptr(PEM_read_bio_X509(BioOf(pem).get(), nullptr, nullptr, nullptr));
}

// An encrypted key must not make OpenSSL ask the terminal.
int NoPassphrase(char*, int, int, void*) { return 0; }

}  // namespace

absl::Status CheckTlsFiles(const PemFile& certificate, const PemFile& key,
                           const PemFile& authority) {
  const auto bad = [](const PemFile& file, std::string_view what) {
    ERR_clear_error();
    return absl::InvalidArgumentError(StrCat(file.path, ": ", what));
  };
  const X509Ptr leaf = FirstCertificate(certificate.content);
  if (leaf == nullptr) return bad(certificate, "not a PEM certificate");
  const KeyPtr private_key(
      PEM_read_bio_PrivateKey(BioOf(key.content).get(), nullptr, NoPassphrase, nullptr));
  if (private_key == nullptr) return bad(key, "not an unencrypted PEM private key");
  if (X509_check_private_key(leaf.get(), private_key.get()) != 1) {
    return bad(key, StrCat("does not fit the certificate in ", certificate.path));
  }
  if (FirstCertificate(authority.content) == nullptr)
    return bad(authority, "not a PEM certificate");
  return absl::OkStatus();
}

}  // namespace headgate
