#include "controller/app/x509_issuer.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <memory>
#include <string_view>

namespace headgate::app {
namespace {

using ExtensionPtr = std::unique_ptr<X509_EXTENSION, OpenSslDeleter<X509_EXTENSION_free>>;

bool AddName(X509_NAME* subject, const std::string& field, const std::string& value) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(value.data());
  return X509_NAME_add_entry_by_txt(subject, field.c_str(), MBSTRING_ASC, bytes,
                                    static_cast<int>(value.size()), -1, 0) == 1;
}

bool AddExtension(X509* certificate, const std::string& name, const std::string& value) {
  const ExtensionPtr extension(X509V3_EXT_conf(nullptr, nullptr, name.c_str(), value.c_str()));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// Everything but the signature.
bool Fill(const CertificateSpec& spec, EVP_PKEY* key, const KeyedCertificate* issuer,
          X509* certificate) {
  uint64_t serial = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof(serial)) != 1) return false;
  X509_NAME* subject = X509_get_subject_name(certificate);
  bool ok =
      X509_set_version(certificate, X509_VERSION_3) == 1 &&
      ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), (serial >> 1) + 1) == 1 &&
      ASN1_TIME_set(X509_getm_notBefore(certificate), absl::ToTimeT(spec.not_before)) != nullptr &&
      ASN1_TIME_set(X509_getm_notAfter(certificate), absl::ToTimeT(spec.not_after)) != nullptr &&
      X509_set_pubkey(certificate, key) == 1;
  for (const auto& [field, value] : spec.subject) ok = ok && AddName(subject, field, value);
  ok = ok &&
       X509_set_issuer_name(
           certificate,
           issuer == nullptr ? subject : X509_get_subject_name(issuer->certificate.get())) == 1;
  for (const auto& [name, value] : spec.extensions)
    ok = ok && AddExtension(certificate, name, value);
  return ok;
}

std::string_view TextOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string_view(data, static_cast<size_t>(size)) : std::string_view();
}

}  // namespace

absl::StatusOr<KeyedCertificate> Issue(const CertificateSpec& spec, KeyPtr key,
                                       const KeyedCertificate* issuer) {
  KeyedCertificate made{X509Ptr(X509_new()), std::move(key)};
  EVP_PKEY* signer = issuer == nullptr ? made.key.get() : issuer->key.get();
  const bool ok = made.key != nullptr && made.certificate != nullptr &&
                  Fill(spec, made.key.get(), issuer, made.certificate.get()) &&
                  X509_sign(made.certificate.get(), signer, EVP_sha256()) > 0;
  ERR_clear_error();
  if (!ok) return absl::InternalError("cannot make a certificate");
  return made;
}

std::string CertificateToPem(X509* certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate);
  return std::string(TextOf(bio.get()));
}

SecretBytes KeyToPem(const EVP_PKEY* key) {
  const BioPtr bio(BIO_new(BIO_s_secmem()));
  PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return SecretBytes(TextOf(bio.get()));
}

}  // namespace headgate::app
