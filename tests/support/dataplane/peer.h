#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "dataplane/base/address.h"
#include "dataplane/net/socket.h"

// Scripted ends for tests: plain blocking sockets on loopback, every wait bounded. A wait that runs out is a test failure
// and returns what there is.
namespace headgate::test {

// One end of a TCP connection.
class Peer {
 public:
  Peer() = default;
  explicit Peer(net::Fd fd);
  static Peer Connect(uint16_t port);

  bool connected() const { return static_cast<bool>(fd_); }
  int fd() const { return fd_.get(); }

  // False when the other end is gone.
  bool Send(std::string_view bytes);
  // Up to and including the first "\r\n\r\n".
  std::string ReadHead();
  std::string Read(size_t bytes);
  // Everything up to the end of the stream. `reset` tells a reset from an orderly end.
  std::string ReadToEnd(bool* reset = nullptr);
  // A response head and its body by Content-Length, chunked (decoded) or until close; the body of a HEAD, 1xx, 204 or 304
  // response is empty.
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
  void Close() { fd_.Close(); }
  // Closes with RST.
  void Abort();

 private:
  // Reads more into buffer_; false at the end, on reset (reset_) and after the time limit (a test failure).
  bool Fill(int timeout_ms);
  Message ReadMessage(bool without_body, bool until_close);

  net::Fd fd_;
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
  // True if a connection waits, within a short while.
  bool HasConnection();

 private:
  net::Fd fd_;
  base::Address address_;
};

}  // namespace headgate::test
