#include "tests/support/dataplane/tls_peer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cstdlib>

namespace headgate::test {
namespace {

constexpr timeval kLimit = {10, 0};

template <typename T, typename Read>
T* FromPem(const std::string& pem, Read read) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  T* object = read(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  return object;
}

}  // namespace

TlsPeer::TlsPeer(uint16_t port, const TlsPeerOptions& options)
    : socket_(Peer::Connect(port)),
      context_(SSL_CTX_new(TLS_client_method())),
      ssl_(SSL_new(context_)) {
  fcntl(socket_.fd(), F_SETFL, fcntl(socket_.fd(), F_GETFL) & ~O_NONBLOCK);
  setsockopt(socket_.fd(), SOL_SOCKET, SO_RCVTIMEO, &kLimit, sizeof(kLimit));
  if (!options.before.empty()) socket_.Send(options.before);
  if (!options.server_name.empty()) {
    SSL_set_tlsext_host_name(ssl_, const_cast<char*>(options.server_name.c_str()));
  }
  if (options.certificate != nullptr) {
    X509* certificate = FromPem<X509>(options.certificate->chain, PEM_read_bio_X509);
    EVP_PKEY* key = FromPem<EVP_PKEY>(options.certificate->key, PEM_read_bio_PrivateKey);
    EXPECT_EQ(SSL_use_cert_and_key(ssl_, certificate, key, nullptr, 1), 1);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  if (options.resume != nullptr) SSL_set_session(ssl_, options.resume);
  SSL_set_fd(ssl_, socket_.fd());
  connected_ = SSL_connect(ssl_) == 1;
  ERR_clear_error();
}

TlsPeer::~TlsPeer() {
  if (connected_) SSL_shutdown(ssl_);  // otherwise its session could not be resumed
  SSL_free(ssl_);
  SSL_CTX_free(context_);
}

bool TlsPeer::resumed() const { return SSL_session_reused(ssl_) == 1; }

std::string TlsPeer::version() const { return SSL_get_version(ssl_); }

bool TlsPeer::Send(std::string_view bytes) {
  return SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) > 0;
}

Peer::Message TlsPeer::ReadResponse() {
  Peer::Message message;
  std::string all;
  size_t end = std::string::npos;
  size_t length = 0;
  while (end == std::string::npos || all.size() < end + length) {
    char buffer[16384];
    const int got = SSL_read(ssl_, buffer, sizeof(buffer));
    if (got <= 0) break;
    all.append(buffer, static_cast<size_t>(got));
    if (end == std::string::npos && all.find("\r\n\r\n") != std::string::npos) {
      end = all.find("\r\n\r\n") + 4;
      message.head = all.substr(0, end);
      length = static_cast<size_t>(std::atoi(message.Field("Content-Length").c_str()));
    }
  }
  ERR_clear_error();
  if (end == std::string::npos) return message;
  message.status = std::atoi(message.head.c_str() + 9);
  message.body = all.substr(end);
  return message;
}

Peer::Message TlsPeer::Get(std::string_view host, std::string_view path, std::string_view fields) {
  Send("GET " + std::string(path) + " HTTP/1.1\r\nHost: " + std::string(host) + "\r\n" +
       std::string(fields) + "\r\n");
  return ReadResponse();
}

std::string TlsPeer::ReadSome() {
  char buffer[16384];
  const int got = SSL_read(ssl_, buffer, sizeof(buffer));
  ERR_clear_error();
  return got > 0 ? std::string(buffer, static_cast<size_t>(got)) : std::string();
}

bool TlsPeer::EndsOrderly() {
  char byte;
  const int got = SSL_read(ssl_, &byte, 1);
  const bool orderly = SSL_get_error(ssl_, got) == SSL_ERROR_ZERO_RETURN;
  ERR_clear_error();
  return orderly;
}

SSL_SESSION* TlsPeer::TakeSession() { return SSL_get1_session(ssl_); }

}  // namespace headgate::test
