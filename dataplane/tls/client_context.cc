#include "dataplane/tls/client_context.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <string>
#include <utility>

#include "common/check.h"
#include "dataplane/tls/certificate_cache.h"
#include "dataplane/tls/openssl_ptr.h"
#include "dataplane/tls/tls_transport.h"

namespace headgate::tls {
namespace {

int ToOpenSsl(Version version) {
  return version == Version::kTls12 ? TLS1_2_VERSION : TLS1_3_VERSION;
}

bool SetProtocol(SSL_CTX* context, const ClientPolicy& policy) {
  return SSL_CTX_set_min_proto_version(context, ToOpenSsl(policy.min_version)) == 1 &&
         SSL_CTX_set_max_proto_version(context, ToOpenSsl(policy.max_version)) == 1 &&
         (policy.ciphers.empty() || SSL_CTX_set_cipher_list(context, policy.ciphers.c_str()) == 1);
}

void SetPeerName(X509_VERIFY_PARAM* parameters, const std::string& name) {
  if (X509_VERIFY_PARAM_set1_ip_asc(parameters, name.c_str()) == 1) return;
  ERR_clear_error();
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  HEADGATE_CHECK(X509_VERIFY_PARAM_set1_host(parameters, name.data(), name.size()) == 1);
}

}  // namespace

void SessionFree::operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
void ContextFree::operator()(SSL_CTX* context) const { SSL_CTX_free(context); }

absl::Status Validate(const ClientPolicy& policy) {
  if (policy.min_version > policy.max_version) {
    return absl::InvalidArgumentError("min_version is above max_version");
  }
  const OpenSslPtr<SSL_CTX> probe(SSL_CTX_new(TLS_client_method()));
  if (probe == nullptr || !SetProtocol(probe.get(), policy)) {
    ERR_clear_error();
    return absl::InvalidArgumentError("ciphers holds no cipher that OpenSSL knows");
  }
  return absl::OkStatus();
}

ClientContext::ClientContext(std::shared_ptr<const ClientPolicy> policy, std::string_view alpn,
                             IoScratch& scratch)
    : policy_(std::move(policy)), context_(SSL_CTX_new(TLS_client_method())), scratch_(scratch) {
  SSL_CTX* const context = context_.get();
  HEADGATE_CHECK(context != nullptr, "out of memory");
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, OnNewSession);
  HEADGATE_CHECK(SetProtocol(context, *policy_));
  std::string wire(1, static_cast<char>(alpn.size()));
  wire += alpn;
  SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(wire.data()),
                          static_cast<unsigned>(wire.size()));
  if (policy_->verify) {
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_verify_depth(context, static_cast<int>(policy_->verify_depth));
    SSL_CTX_set1_cert_store(context, policy_->trust->store_);
    SetPeerName(SSL_CTX_get0_param(context), policy_->verify_name);
  }
  if (policy_->certificate != nullptr) {
    CertificateCache parsed(1);
    const ParsedCertificate* own = parsed.Get(*policy_->certificate);
    // Without it the peer refuses us, which is the right answer to running out of memory.
    if (own != nullptr) SSL_CTX_use_cert_and_key(context, own->leaf, own->key, own->chain, 1);
  }
  ERR_clear_error();
}

int ClientContext::OnNewSession(SSL* ssl, SSL_SESSION* session) {
  static_cast<TlsTransport*>(SSL_get_app_data(ssl))
      ->session_->session_.reset(SSL_SESSION_dup(session));
  return 0;  // the original stays the connection's
}

}  // namespace headgate::tls
