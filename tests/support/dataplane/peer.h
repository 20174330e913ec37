#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "dataplane/base/address.h"
#include "dataplane/net/socket.h"

// Scripted ends for tests: plain blocking sockets on loopback, every wait bounded. A wait that runs
// out is a test failure and returns what there is.
namespace headgate::test {

// How a scripted end speaks TLS as server.
struct TlsEndOptions {
  std::string chain;  // PEM
  std::string key;
  std::string alpn = {};       // the one protocol taken when the client offers it; empty: none
  std::string client_ca = {};  // PEM; not empty: a client certificate of these is demanded
  int max_version = TLS1_3_VERSION;
};

class TlsEnd {
 public:
  explicit TlsEnd(const TlsEndOptions& options);
  ~TlsEnd();
  TlsEnd(const TlsEnd&) = delete;
  TlsEnd& operator=(const TlsEnd&) = delete;

 private:
  friend class Peer;
  SSL_CTX* context_;
  std::string alpn_;
};

// The first of the sockets that has a connection, bytes or the end of the stream; of several the
// one that stands first.
size_t FirstReadable(std::initializer_list<int> sockets);

// One end of a TCP connection, with TLS over it after StartTls.
class Peer {
 public:
  Peer() = default;
  explicit Peer(net::Fd fd);
  static Peer Connect(uint16_t port);

  bool connected() const { return static_cast<bool>(fd_); }
  int fd() const { return fd_.get(); }

  // The server's handshake. False: it failed.
  bool StartTls(TlsEnd& end);
  // The client's; it trusts everybody.
  bool StartTlsAsClient(const std::string& server_name, std::string_view alpn);
  SSL* tls() { return tls_.get(); }

  // False when the other end is gone.
  bool Send(std::string_view bytes);
  // Up to and including the first "\r\n\r\n".
  std::string ReadHead();
  std::string Read(size_t bytes);
  // What comes before a handshake: not a byte more is taken off the socket. REQUIRES: nothing has
  // been read before.
  std::string ReadExactly(size_t bytes);
  // What has come, waiting for the first byte; empty at the end of the stream.
  std::string ReadSome();
  // Everything up to the end of the stream. `reset` tells a reset from an orderly end.
  std::string ReadToEnd(bool* reset = nullptr);
  // A response head and its body by Content-Length, chunked (decoded) or until close; the body of a
  // HEAD, 1xx, 204 or 304 response is empty.
  struct Message {
    std::string head;
    std::string body;
    int status = 0;
    std::string Field(std::string_view name) const;  // first value, name in any case
  };
  Message ReadResponse(bool to_head_request = false);
  // A request with its body.
  Message ReadRequest();

  // Waits a short while for room in the kernel's buffers.
  bool CanSend();
  // True if nothing comes for a short while; for "must stay silent". Keep such tests few.
  bool Silent();
  // True if the stream ends without another byte.
  bool Ended();

  void ShutdownWrite();
  void Close() {
    tls_.reset();
    fd_.Close();
  }
  // Closes with RST.
  void Abort();

 private:
  // Reads more into buffer_; false at the end, on reset (reset_) and after the time limit (a test
  // failure).
  bool Fill(int timeout_ms);
  Message ReadMessage(bool without_body, bool until_close);

  bool Handshake(int (*step)(SSL*));
  // Waits for what the last TLS call wants; false: it failed.
  bool WaitForTls(int result);

  struct SslFree {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  net::Fd fd_;
  std::unique_ptr<SSL, SslFree> tls_;
  std::string buffer_;
  bool reset_ = false;
};

// A listening end.
class PeerListener {
 public:
  PeerListener();
  uint16_t port() const { return address_.port(); }
  const base::Address& address() const { return address_; }
  // The next connection.
  Peer Accept();
  // True if a connection waits, within a short while: for "nobody connects". Who waits for one of
  // several things to happen takes FirstReadable.
  bool HasConnection();
  int fd() const { return fd_.get(); }

 private:
  net::Fd fd_;
  base::Address address_;
};

}  // namespace headgate::test
