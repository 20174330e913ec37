#include "dataplane/tls/server_context.h"

#include <openssl/core_names.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include "common/check.h"
#include "common/dh_parameters.h"
#include "common/hash.h"
#include "common/secret_bytes.h"
#include "common/strings.h"
#include "dataplane/tls/openssl_ptr.h"
#include "dataplane/tls/tls_transport.h"

namespace headgate::tls {
namespace {

constexpr char kTls13Ciphers[] =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
// OpenSSL's defaults, named because they cannot be restored otherwise; since 3.5 with a
// post-quantum one.
constexpr char kNewGroups[] = "X25519MLKEM768:X25519:P-256:X448:P-384:P-521";
constexpr char kGroups[] = "X25519:P-256:X448:P-384:P-521";
constexpr size_t kTicketName = 16;
constexpr size_t kMaxServerName = 255;

int ToOpenSsl(Version version) {
  return version == Version::kTls12 ? TLS1_2_VERSION : TLS1_3_VERSION;
}

// The host name in a server_name extension (RFC 6066 section 3) in lower case; empty if there is
// none, or none that a host could have. A malformed extension is left for OpenSSL to refuse.
std::string ParseServerName(std::string_view extension) {
  const auto number = [&](size_t at) {
    return static_cast<size_t>(static_cast<uint8_t>(extension[at]) << 8 |
                               static_cast<uint8_t>(extension[at + 1]));
  };
  constexpr size_t kHeader = 5;  // length of the list, type of the name, length of the name
  if (extension.size() < kHeader || extension[2] != TLSEXT_NAMETYPE_host_name) return {};
  std::string name(extension.substr(kHeader, number(3)));
  if (name.size() != number(3) || name.size() > kMaxServerName) return {};
  for (char& c : name) {
    if (c <= ' ' || c == 0x7f) return {};
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (!name.empty() && name.back() == '.') name.pop_back();
  return name;
}

// Ties a session to the server name and the rules of its host: OpenSSL resumes only where the
// context is the same.
void SetSessionContext(SSL* ssl, std::string_view server_name, const ClientAuth* client_auth) {
  const auto set = [ssl](const void* data, size_t size) {
    SSL_set_session_id_context(ssl, static_cast<const unsigned char*>(data),
                               static_cast<unsigned>(size));
  };
  if (client_auth != nullptr) {
    const auto digest = Sha256(StrCat(client_auth->fingerprint(), " ", server_name));
    set(digest.data(), digest.size());
  } else if (server_name.empty()) {
    set("_", 1);
  } else if (server_name.size() <= SSL_MAX_SID_CTX_LENGTH) {
    set(server_name.data(), server_name.size());
  } else {
    const auto digest = Sha256(server_name);
    set(digest.data(), digest.size());
  }
}

}  // namespace

// What OpenSSL calls during a handshake.
struct ServerContext::Callbacks {
  static TlsTransport& Transport(SSL* ssl) {
    return *static_cast<TlsTransport*>(SSL_get_app_data(ssl));
  }

  static int OnClientHello(SSL* ssl, int* alert, void* self) {
    auto& context = *static_cast<ServerContext*>(self);
    const unsigned char* data = nullptr;
    size_t size = 0;
    std::string name;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &data, &size) == 1) {
      name = ParseServerName({reinterpret_cast<const char*>(data), size});
    }
    HandshakePolicy policy;
    if (context.policies_ != nullptr) policy = context.policies_->FindPolicy(name);
    TlsTransport& transport = Transport(ssl);
    transport.server_name_ = std::move(name);
    if (context.reject_unknown_names_ && !policy.known_name) {
      *alert = SSL_AD_UNRECOGNIZED_NAME;
      return SSL_CLIENT_HELLO_ERROR;
    }
    context.OfferDhParameters(ssl);
    if (!policy.ciphers.empty()) SSL_set_cipher_list(ssl, std::string(policy.ciphers).c_str());
    if (policy.client_chooses_cipher) SSL_clear_options(ssl, SSL_OP_CIPHER_SERVER_PREFERENCE);
    transport.client_auth_ = 0;
    if (policy.client_auth != nullptr && policy.client_auth->asks()) {
      transport.client_auth_ = policy.client_auth->fingerprint();
      transport.pass_certificate_ = policy.client_auth->rules().pass_certificate;
      if (!context.trust_.Apply(*policy.client_auth, ssl)) {
        *alert = SSL_AD_INTERNAL_ERROR;
        return SSL_CLIENT_HELLO_ERROR;
      }
    }
    SetSessionContext(ssl, transport.server_name_,
                      transport.client_auth_ != 0 ? policy.client_auth : nullptr);
    return SSL_CLIENT_HELLO_SUCCESS;
  }

  // RFC 5077 section 4. 0: no such key; 2: the ticket is good, but another is to take its place.
  static int OnTicket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                      EVP_MAC_CTX* mac, int seal) {
    const auto& context = *static_cast<ServerContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    const TicketKeys& keys = context.ticket_keys();
    const TicketKeys::Key* key =
        seal != 0 ? &keys.sealing() : keys.Find({reinterpret_cast<const char*>(name), kTicketName});
    if (key == nullptr) return 0;
    const auto bytes = [](const SecretBytes& secret) {
      return reinterpret_cast<const unsigned char*>(secret.Reveal().data());
    };
    const EVP_CIPHER* aes = key->cipher.size() == 16 ? EVP_aes_128_cbc() : EVP_aes_256_cbc();
    if (seal != 0) {
      std::memcpy(name, bytes(key->name), kTicketName);
      if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(aes)) != 1) return -1;
    }
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(
            OSSL_MAC_PARAM_KEY, const_cast<unsigned char*>(bytes(key->mac)), key->mac.size()),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    if (EVP_CipherInit_ex(cipher, aes, nullptr, bytes(key->cipher), iv, seal) != 1 ||
        EVP_MAC_CTX_set_params(mac, params) != 1) {
      return -1;
    }
    // With TLS 1.3 a ticket is for one use (RFC 8446, appendix C.4).
    return seal != 0 || (key == &keys.sealing() && SSL_version(ssl) != TLS1_3_VERSION) ? 1 : 2;
  }

  // RFC 6066 section 3: a server that made use of the name says so.
  static int OnServerName(SSL* ssl, int*, void*) {
    return Transport(ssl).server_name_.empty() ? SSL_TLSEXT_ERR_NOACK : SSL_TLSEXT_ERR_OK;
  }

  static int OnCertificate(SSL* ssl, void* self) {
    if (SSL_session_reused(ssl) == 1) return 1;  // a resumed session shows no certificate
    auto& context = *static_cast<ServerContext*>(self);
    return context.ChooseCertificates(ssl, Transport(ssl).server_name_) ? 1 : 0;
  }

  static int OnAlpn(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* in, unsigned in_size, void* self) {
    const std::string& ours = static_cast<ServerContext*>(self)->alpn_;
    unsigned char* chosen = nullptr;
    const int result = SSL_select_next_proto(&chosen, out_size,
                                             reinterpret_cast<const unsigned char*>(ours.data()),
                                             static_cast<unsigned>(ours.size()), in, in_size);
    *out = chosen;
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
  }
};

ServerContext::ServerContext(std::shared_ptr<const TicketKeys> ticket_keys)
    : context_(SSL_CTX_new(TLS_server_method())), own_ticket_keys_(std::move(ticket_keys)) {
  HEADGATE_CHECK(context_ != nullptr && own_ticket_keys_ != nullptr);
  SSL_CTX_set_options(
      context_, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context_, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_app_data(context_, this);
  HEADGATE_CHECK(SSL_CTX_set_tlsext_ticket_key_evp_cb(context_, Callbacks::OnTicket) == 1);
  HEADGATE_CHECK(SSL_CTX_set_ciphersuites(context_, kTls13Ciphers) == 1);
  SSL_CTX_set_client_hello_cb(context_, Callbacks::OnClientHello, this);
  SSL_CTX_set_tlsext_servername_callback(context_, Callbacks::OnServerName);
  SSL_CTX_set_cert_cb(context_, Callbacks::OnCertificate, this);
  SetPolicy(ServerPolicy());
}

ServerContext::~ServerContext() { SSL_CTX_free(context_); }

void ServerContext::SetProtocols(const std::vector<std::string_view>& alpn) {
  alpn_.clear();
  for (std::string_view protocol : alpn) {
    HEADGATE_CHECK(!protocol.empty() && protocol.size() < 256);
    alpn_.push_back(static_cast<char>(protocol.size()));
    alpn_ += protocol;
  }
  SSL_CTX_set_alpn_select_cb(context_, alpn_.empty() ? nullptr : Callbacks::OnAlpn, this);
}

void ServerContext::SetPolicy(const ServerPolicy& policy) {
  const char* ciphers = policy.ciphers.empty() ? kDefaultCiphers : policy.ciphers.c_str();
  HEADGATE_CHECK(SSL_CTX_set_min_proto_version(context_, ToOpenSsl(policy.min_version)) == 1);
  HEADGATE_CHECK(SSL_CTX_set_max_proto_version(context_, ToOpenSsl(policy.max_version)) == 1);
  HEADGATE_CHECK(SSL_CTX_set_cipher_list(context_, ciphers) == 1);
  if (!policy.groups.empty()) {
    HEADGATE_CHECK(SetGroups(context_, policy.groups.c_str()));
  } else if (!SetGroups(context_, kNewGroups)) {
    ERR_clear_error();
    HEADGATE_CHECK(SetGroups(context_, kGroups));
  }
  SSL_CTX_set_num_tickets(context_, policy.resumption ? 1 : 0);
  if (policy.resumption) {
    SSL_CTX_clear_options(context_, SSL_OP_NO_TICKET);
  } else {
    SSL_CTX_set_options(context_, SSL_OP_NO_TICKET);
  }
  SSL_CTX_set_timeout(context_, static_cast<long>(policy.session_timeout.count()));
  reject_unknown_names_ = policy.reject_unknown_names;
  dh_parameters_ = nullptr;
  if (policy.dh_parameters.empty()) return;
  absl::StatusOr<KeyPtr> parameters = ParseDhParameters(policy.dh_parameters);
  HEADGATE_CHECK(parameters.ok());
  dh_parameters_ = *std::move(parameters);
}

void ServerContext::OfferDhParameters(SSL* ssl) const {
  EVP_PKEY* const parameters = dh_parameters_.get();
  if (parameters == nullptr || EVP_PKEY_up_ref(parameters) != 1) return;
  if (SSL_set0_tmp_dh_pkey(ssl, parameters) == 1) return;  // which has taken the reference
  EVP_PKEY_free(parameters);
  ERR_clear_error();
}

bool ServerContext::ChooseCertificates(SSL* ssl, std::string_view server_name) {
  if (table_ == nullptr) return false;
  const auto use = [&](const Certificate& certificate) {
    const ParsedCertificate* parsed = parsed_.Get(certificate);
    return parsed != nullptr &&
           SSL_use_cert_and_key(ssl, parsed->leaf, parsed->key, parsed->chain, 1) == 1;
  };
  bool any = false;
  if (const HostCertificates* host = table_->Find(server_name)) {
    // OpenSSL keeps one of each key type and picks what the client can verify. The most preferred
    // comes last, so that it replaces others of its type.
    const auto& list = host->certificates();
    std::for_each(list.rbegin(), list.rend(), [&](const auto& c) { any = use(*c) || any; });
  }
  if (!any && table_->fallback() != nullptr) any = use(*table_->fallback());
  return any;
}

}  // namespace headgate::tls
