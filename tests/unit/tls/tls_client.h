#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/net/socket.h"

namespace headgate::tls {

// A connected pair of non-blocking TCP sockets on loopback.
struct SocketPair {
  net::Fd server;
  net::Fd client;
};
SocketPair Connect();

// Waits, at most a few seconds, until one of the two can be read.
void WaitForInput(int a, int b);
void WaitReadable(int fd);

// What a test's client asks for.
struct ClientOptions {
  std::string server_name = {};
  std::vector<std::string> alpn = {};
  int max_version = TLS1_3_VERSION;
  std::string signature_algorithms = {};  // empty: OpenSSL's
  std::string ciphers = {};               // of TLS 1.2; empty: OpenSSL's
  SSL_SESSION* resume = nullptr;          // not taken over
};

// An OpenSSL client on a non-blocking socket. It checks no certificates: tests look at the one it
// was shown.
class TlsClient {
 public:
  TlsClient(net::Fd fd, const ClientOptions& options);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  // One step of the handshake. 1: done, 0: needs input, -1: failed.
  int Step();
  // Reads what there is; an empty result with closed() false means: nothing now.
  std::string Read();
  void Write(std::string_view data);
  // True after the server's close_notify.
  bool closed() const { return closed_; }

  std::string CertificateName() const;  // common name of the server's certificate
  std::string alpn() const;
  bool resumed() const { return SSL_session_reused(ssl_) == 1; }
  // The latest session received; owned by the client.
  SSL_SESSION* session() const { return session_; }
  int sessions_received() const { return sessions_received_; }
  SSL* ssl() { return ssl_; }
  net::Fd& fd() { return fd_; }

 private:
  static int OnSession(SSL* ssl, SSL_SESSION* session);

  net::Fd fd_;
  SSL_CTX* context_;
  SSL* ssl_;
  SSL_SESSION* session_ = nullptr;
  int sessions_received_ = 0;
  bool closed_ = false;
};

}  // namespace headgate::tls
