// A small HTTPS server on loopback whose answers a test writes byte by byte.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/certificates.h"

struct ssl_ctx_st;
struct ssl_st;

namespace headgate::kube {

// The server's end of one connection; used by its own thread. Every wait ends after ten seconds.
class ServerConnection {
 public:
  ServerConnection(ssl_ctx_st* context, int fd);
  ~ServerConnection();  // closes without a TLS goodbye, as a killed server does

  bool Handshake();
  // Up to and with the empty line; empty at the end of the connection.
  std::string ReadHead();
  bool Write(std::string_view bytes);
  // As one chunk of a chunked body.
  bool WriteChunk(std::string_view bytes);
  // True when the client closed.
  bool AwaitClose();
  // Common name of the client's certificate; empty without one.
  std::string ClientName() const;

 private:
  const int fd_;
  ssl_st* const ssl_;
};

class HttpsServer {
 public:
  using Handler = std::function<void(ServerConnection&)>;

  // Listens on 127.0.0.1. Each connection that completes its handshake runs `handler` on a thread
  // of its own. `client_ca`: PEM that vouches for clients; empty: none are asked for a certificate.
  HttpsServer(const headgate::testing::PemPair& certificate, const std::string& client_ca,
              Handler handler);
  ~HttpsServer();  // waits for the handlers

  uint16_t port() const { return port_; }
  int connections() const { return connections_; }

 private:
  void Accept();

  const Handler handler_;
  ssl_ctx_st* context_;
  int listen_fd_ = -1;
  uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::vector<std::thread> handlers_;
  std::thread acceptor_;
};

}  // namespace headgate::kube
