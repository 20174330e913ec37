#include "tests/unit/kube/https_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/strings.h"

namespace headgate::kube {
namespace {

X509* ParseCertificate(const std::string& pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  return certificate;
}

void UsePair(SSL_CTX* context, const headgate::testing::PemPair& pair) {
  X509* certificate = ParseCertificate(pair.chain);
  BIO* bio = BIO_new_mem_buf(pair.key.data(), static_cast<int>(pair.key.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
  EXPECT_EQ(SSL_CTX_use_certificate(context, certificate), 1);
  EXPECT_EQ(SSL_CTX_use_PrivateKey(context, key), 1);
  EVP_PKEY_free(key);
  BIO_free(bio);
  X509_free(certificate);
}

}  // namespace

ServerConnection::ServerConnection(SSL_CTX* context, int fd) : fd_(fd), ssl_(SSL_new(context)) {
  const timeval limit{10, 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  SSL_set_fd(ssl_, fd_);
}

ServerConnection::~ServerConnection() {
  SSL_free(ssl_);
  close(fd_);
}

bool ServerConnection::Handshake() {
  const bool done = SSL_accept(ssl_) == 1;
  ERR_clear_error();
  return done;
}

std::string ServerConnection::ReadHead() {
  std::string head;
  char c = 0;
  while (!head.ends_with("\r\n\r\n")) {
    if (SSL_read(ssl_, &c, 1) != 1) return "";
    head.push_back(c);
  }
  return head;
}

bool ServerConnection::Write(std::string_view bytes) {
  return SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) ==
         static_cast<int>(bytes.size());
}

bool ServerConnection::WriteChunk(std::string_view bytes) {
  return Write(StrCat(absl::Hex(bytes.size()), "\r\n", bytes, "\r\n"));
}

bool ServerConnection::AwaitClose() {
  char c = 0;
  const int got = SSL_read(ssl_, &c, 1);
  const int error = SSL_get_error(ssl_, got);
  ERR_clear_error();
  return got <= 0 && error != SSL_ERROR_WANT_READ;
}

std::string ServerConnection::ClientName() const {
  X509* certificate = SSL_get_peer_certificate(ssl_);
  if (certificate == nullptr) return "";
  char name[256] = {};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
  X509_free(certificate);
  return name;
}

HttpsServer::HttpsServer(const headgate::testing::PemPair& certificate,
                         const std::string& client_ca, Handler handler)
    : handler_(std::move(handler)), context_(SSL_CTX_new(TLS_server_method())) {
  UsePair(context_, certificate);
  if (!client_ca.empty()) {
    X509* ca = ParseCertificate(client_ca);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context_), ca);
    X509_free(ca);
    SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
  }
  listen_fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(bind(listen_fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(listen(listen_fd_, 16), 0);
  EXPECT_EQ(getsockname(listen_fd_, reinterpret_cast<sockaddr*>(&address), &size), 0);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

HttpsServer::~HttpsServer() {
  shutdown(listen_fd_, SHUT_RDWR);  // wakes accept
  acceptor_.join();
  for (std::thread& handler : handlers_) handler.join();
  close(listen_fd_);
  SSL_CTX_free(context_);
}

void HttpsServer::Accept() {
  while (true) {
    const int fd = accept4(listen_fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    ++connections_;
    handlers_.emplace_back([this, fd] {
      ServerConnection connection(context_, fd);
      if (connection.Handshake()) handler_(connection);
    });
  }
}

}  // namespace headgate::kube
