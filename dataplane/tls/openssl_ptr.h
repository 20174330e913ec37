#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string_view>

// Owners for OpenSSL's objects, for use inside this folder.
namespace headgate::tls {

struct OpenSslFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(STACK_OF(X509) * chain) const { sk_X509_pop_free(chain, X509_free); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
template <typename T>
using OpenSslPtr = std::unique_ptr<T, OpenSslFree>;

// What the last failed call complained of, in OpenSSL's words (static text, no data of ours), and
// an empty error queue: a stale entry would be taken for the reason of some later failure.
inline std::string_view TakeOpenSslError() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return reason != nullptr ? reason : "unknown error";
}

// SSL_CTX_set1_groups_list, which is a macro that casts const away, in the open.
inline bool SetGroups(SSL_CTX* context, const char* list) {
  return SSL_CTX_ctrl(context, SSL_CTRL_SET_GROUPS_LIST, 0, const_cast<char*>(list)) == 1;
}

// A private key from DER, or nullptr; the caller owns it. Knowing the type (EVP_PKEY_...) makes it
// four times as fast in OpenSSL 3.0, which otherwise tries one decoder after another; a wrong type
// still works. Defined in certificate.cc.
EVP_PKEY* ParseKey(int type, std::string_view der);

}  // namespace headgate::tls
