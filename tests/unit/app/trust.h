// What somebody who is shown a certificate makes of it.
#pragma once

#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "common/openssl_ptr.h"

namespace headgate::app {

inline X509Ptr ReadCertificate(BIO* bio) {
  return X509Ptr(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr));
}

// Whether `certificate` is signed by one of `bundle`, is for `name` (empty: for none) and for the
// purpose, at `now`.
inline bool Trusts(const std::string& bundle, const std::string& certificate,
                   const std::string& name, absl::Time now, int purpose = X509_PURPOSE_SSL_SERVER) {
  const std::unique_ptr<X509_STORE, OpenSslDeleter<X509_STORE_free>> store(X509_STORE_new());
  const BioPtr authorities(BIO_new_mem_buf(bundle.data(), static_cast<int>(bundle.size())));
  while (const X509Ptr authority = ReadCertificate(authorities.get()))
    X509_STORE_add_cert(store.get(), authority.get());
  const BioPtr text(BIO_new_mem_buf(certificate.data(), static_cast<int>(certificate.size())));
  const X509Ptr leaf = ReadCertificate(text.get());
  if (leaf == nullptr) return false;
  const std::unique_ptr<X509_STORE_CTX, OpenSslDeleter<X509_STORE_CTX_free>> context(
      X509_STORE_CTX_new());
  X509_STORE_CTX_init(context.get(), store.get(), leaf.get(), nullptr);
  X509_STORE_CTX_set_purpose(context.get(), purpose);
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(parameters, absl::ToTimeT(now));
  if (!name.empty() && X509_VERIFY_PARAM_set1_ip_asc(parameters, name.c_str()) != 1) {
    X509_VERIFY_PARAM_set1_host(parameters, name.c_str(), name.size());
  }
  return X509_verify_cert(context.get()) == 1;
}

}  // namespace headgate::app
