#include "tests/unit/tls/tls_client.h"

#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>

#include "common/check.h"

namespace headgate::tls {

SocketPair Connect() {
  auto listener = net::BindTcp(*base::Address::ParseHostPort("127.0.0.1:0"));
  HEADGATE_CHECK(listener.ok());
  HEADGATE_CHECK(listen(listener->get(), 16) == 0);
  auto client = net::ConnectTcp(*net::LocalAddress(listener->get()));
  HEADGATE_CHECK(client.ok());
  WaitReadable(listener->get());
  SocketPair pair;
  pair.server = net::Fd(accept4(listener->get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  HEADGATE_CHECK(pair.server.get() >= 0);
  pair.client = std::move(*client);
  return pair;
}

void WaitForInput(int a, int b) {
  pollfd waits[2] = {{a, POLLIN, 0}, {b, POLLIN, 0}};
  HEADGATE_CHECK(poll(waits, b < 0 ? 1 : 2, 5000) > 0, "no input came");
}

void WaitReadable(int fd) { WaitForInput(fd, -1); }

TlsClient::TlsClient(net::Fd fd, const ClientOptions& options)
    : fd_(std::move(fd)), context_(SSL_CTX_new(TLS_client_method())) {
  SSL_CTX_set_session_cache_mode(context_,
                                 SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  SSL_CTX_sess_set_new_cb(context_, OnSession);
  SSL_CTX_set_max_proto_version(context_, options.max_version);
  if (!options.signature_algorithms.empty()) {
    HEADGATE_CHECK(SSL_CTX_set1_sigalgs_list(context_, options.signature_algorithms.c_str()) == 1);
  }
  if (!options.ciphers.empty())
    HEADGATE_CHECK(SSL_CTX_set_cipher_list(context_, options.ciphers.c_str()) == 1);
  ssl_ = SSL_new(context_);
  SSL_set_app_data(ssl_, this);
  SSL_set_fd(ssl_, fd_.get());
  SSL_set_connect_state(ssl_);
  if (!options.server_name.empty()) {
    SSL_set_tlsext_host_name(ssl_, const_cast<char*>(options.server_name.c_str()));
  }
  std::string alpn;
  for (const std::string& name : options.alpn) alpn += static_cast<char>(name.size()) + name;
  if (!alpn.empty()) {
    SSL_set_alpn_protos(ssl_, reinterpret_cast<const unsigned char*>(alpn.data()),
                        static_cast<unsigned>(alpn.size()));
  }
  if (options.resume != nullptr) SSL_set_session(ssl_, options.resume);
}

TlsClient::~TlsClient() {
  SSL_SESSION_free(session_);
  SSL_free(ssl_);
  SSL_CTX_free(context_);
}

int TlsClient::OnSession(SSL* ssl, SSL_SESSION* session) {
  auto* self = static_cast<TlsClient*>(SSL_get_app_data(ssl));
  SSL_SESSION_free(self->session_);
  self->session_ = session;
  ++self->sessions_received_;
  return 1;
}

int TlsClient::Step() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  if (result == 1) return 1;
  return SSL_get_error(ssl_, result) == SSL_ERROR_WANT_READ ? 0 : -1;
}

std::string TlsClient::Read() {
  ERR_clear_error();
  std::string all;
  char buffer[65536];
  int result;
  while ((result = SSL_read(ssl_, buffer, sizeof(buffer))) > 0) {
    all.append(buffer, static_cast<size_t>(result));
  }
  closed_ = SSL_get_error(ssl_, result) == SSL_ERROR_ZERO_RETURN;
  return all;
}

void TlsClient::Write(std::string_view data) {
  ERR_clear_error();
  HEADGATE_CHECK(SSL_write(ssl_, data.data(), static_cast<int>(data.size())) ==
                 static_cast<int>(data.size()));
}

std::string TlsClient::CertificateName() const {
  X509* certificate = SSL_get1_peer_certificate(ssl_);
  if (certificate == nullptr) return "none";
  char name[256] = {};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof(name));
  X509_free(certificate);
  return name;
}

std::string TlsClient::alpn() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_, &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

}  // namespace headgate::tls
