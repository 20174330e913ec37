// A non-blocking connection that carries an nghttp2 session, plain or over TLS: what the HTTP/2
// programs of bench/compare share. One write a turn, whatever the number of frames.
#pragma once

#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>

#include <cstdint>
#include <string>

namespace headgate::bench {

class H2Socket {
 public:
  // Takes over the descriptor. `tls`: null for plain TCP.
  explicit H2Socket(int fd, SSL* tls = nullptr) : fd_(fd), tls_(tls) {}
  ~H2Socket();
  H2Socket(const H2Socket&) = delete;
  H2Socket& operator=(const H2Socket&) = delete;

  int fd() const { return fd_; }

  // Reads until nothing is left and feeds it to the session. False: the peer has ended the
  // connection.
  bool Receive(nghttp2_session* session);
  // Sends what the session has to say. False: the peer is gone.
  bool Send(nghttp2_session* session);
  // True while some of it waits for the socket.
  bool blocked() const { return sent_ < output_.size(); }

 private:
  // Bytes moved; 0: not now; -1: the end.
  long Read(char* into, size_t size);
  long Write(const char* from, size_t size);

  int fd_;
  SSL* tls_;
  std::string output_;
  size_t sent_ = 0;
};

// One field of a request or response; both texts outlive the call that takes it.
nghttp2_nv H2Field(std::string_view name, std::string_view value);

}  // namespace headgate::bench
