#include "controller/app/fallback_certificate.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/openssl_ptr.h"
#include "common/secret_bytes.h"

namespace headgate::app {
namespace {

constexpr const char* kCommonName = "Kubernetes Ingress Controller Fake Certificate";
constexpr const char* kOrganization = "Acme Co";
constexpr const char* kExtensions[][2] = {
    {"subjectAltName", "DNS:ingress.local"},
    {"basicConstraints", "critical,CA:FALSE"},
    {"keyUsage", "critical,digitalSignature,keyEncipherment"},
    {"extendedKeyUsage", "serverAuth"},
};
constexpr absl::Duration kLifetime = absl::Hours(365 * 24);
constexpr absl::Duration kSlack = absl::Hours(24);  // for clients whose clock is late

using ExtensionPtr = std::unique_ptr<X509_EXTENSION, OpenSslDeleter<X509_EXTENSION_free>>;

bool AddName(X509_NAME* subject, const char* field, const char* value) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(value);
  return X509_NAME_add_entry_by_txt(subject, field, MBSTRING_ASC, bytes, -1, -1, 0) == 1;
}

bool AddExtension(X509* certificate, const char* name, const char* value) {
  const ExtensionPtr extension(X509V3_EXT_conf(nullptr, nullptr, name, value));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// Everything but the signature.
bool Fill(X509* certificate, EVP_PKEY* key, absl::Time now) {
  uint64_t serial = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof(serial)) != 1) return false;
  X509_NAME* subject = X509_get_subject_name(certificate);
  bool ok =
      X509_set_version(certificate, X509_VERSION_3) == 1 &&
      ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), (serial >> 1) + 1) == 1 &&
      ASN1_TIME_set(X509_getm_notBefore(certificate), absl::ToTimeT(now - kSlack)) &&
      ASN1_TIME_set(X509_getm_notAfter(certificate), absl::ToTimeT(now - kSlack + kLifetime)) &&
      X509_set_pubkey(certificate, key) == 1 && AddName(subject, "O", kOrganization) &&
      AddName(subject, "CN", kCommonName) && X509_set_issuer_name(certificate, subject) == 1;
  for (const auto& [name, value] : kExtensions) ok = ok && AddExtension(certificate, name, value);
  return ok;
}

std::string_view TextOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string_view(data, static_cast<size_t>(size)) : std::string_view();
}

}  // namespace

absl::StatusOr<translate::CertificatePem> MakeFallbackCertificate(absl::Time now) {
  const KeyPtr key(EVP_RSA_gen(2048));
  const X509Ptr certificate(X509_new());
  const BioPtr chain_text(BIO_new(BIO_s_mem()));
  const BioPtr key_text(BIO_new(BIO_s_secmem()));
  if (key == nullptr || certificate == nullptr || !Fill(certificate.get(), key.get(), now) ||
      X509_sign(certificate.get(), key.get(), EVP_sha256()) <= 0 ||
      PEM_write_bio_X509(chain_text.get(), certificate.get()) != 1 ||
      PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) !=
          1) {
    return absl::InternalError("cannot make the fallback certificate");
  }
  return translate::CertificatePem{std::string(TextOf(chain_text.get())),
                                   SecretBytes(TextOf(key_text.get()))};
}

}  // namespace headgate::app
