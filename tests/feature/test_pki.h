#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

namespace headgate::feature {

struct CertificateAndKey {
  std::string certificate;
  std::string key;
};

// A certificate authority that lives in memory. Signs certificates good for "127.0.0.1" and
// "localhost".
class TestCa {
 public:
  explicit TestCa(const std::string& name) : key_(NewKey()), certificate_(New(name, key_, true)) {
    Sign(certificate_, certificate_, key_);
  }
  ~TestCa() {
    X509_free(certificate_);
    EVP_PKEY_free(key_);
  }
  TestCa(const TestCa&) = delete;
  TestCa& operator=(const TestCa&) = delete;

  std::string certificate() const { return Pem(certificate_); }

  CertificateAndKey Issue(const std::string& name) const {
    EVP_PKEY* key = NewKey();
    X509* certificate = New(name, key, false);
    Sign(certificate, certificate_, key_);
    CertificateAndKey out{Pem(certificate), Pem(key)};
    X509_free(certificate);
    EVP_PKEY_free(key);
    return out;
  }

 private:
  static EVP_PKEY* NewKey() { return EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"); }

  static void AddExtension(X509* certificate, int nid, const char* value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }

  static X509* New(const std::string& name, EVP_PKEY* key, bool ca) {
    static long serial = 1;
    X509* certificate = X509_new();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 24 * 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_pubkey(certificate, key);
    if (ca) {
      AddExtension(certificate, NID_basic_constraints, "critical,CA:TRUE");
      AddExtension(certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
    } else {
      AddExtension(certificate, NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost");
    }
    return certificate;
  }

  static void Sign(X509* certificate, X509* issuer, EVP_PKEY* key) {
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
    X509_sign(certificate, key, EVP_sha256());
  }

  static std::string Read(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    std::string out(data, static_cast<size_t>(size));
    BIO_free(bio);
    return out;
  }
  static std::string Pem(X509* certificate) {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, certificate);
    return Read(bio);
  }
  static std::string Pem(EVP_PKEY* key) {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
    return Read(bio);
  }

  EVP_PKEY* key_;
  X509* certificate_;
};

}  // namespace headgate::feature
