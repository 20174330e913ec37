#pragma once

#include <unistd.h>

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "dataplane/base/address.h"

namespace headgate::net {

// Owns a file descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      Close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~Fd() { Close(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }
  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

// A non-blocking TCP socket for a Listener, bound but not yet listening: clients are refused, not
// kept waiting, until we can serve them. SO_REUSEPORT (one per worker on the same address: the
// kernel spreads connections) and TCP_NODELAY, which accepted sockets inherit. An IPv6 wildcard
// takes IPv4 as well. Errors name the address.
absl::StatusOr<Fd> BindTcp(const base::Address& address);

// The address a socket is bound to; the port is the real one after binding port 0.
absl::StatusOr<base::Address> LocalAddress(int fd);

// Starts a non-blocking connect with TCP_NODELAY. An error here is immediate: ResourceExhausted (no
// descriptors, no memory) or AlreadyExists (no port is free) is ours, others (no route) concern the
// address. A refused connection usually shows later, see ConnectError.
absl::StatusOr<Fd> ConnectTcp(const base::Address& address);

// Sends all of a few bytes that nothing has been sent before; a socket that has just been connected
// takes them. False: it did not.
bool SendFirst(int fd, std::string_view bytes);

// After the first writable edge of a connecting socket: 0 when connected, else the errno of the
// failure.
int ConnectError(int fd);

}  // namespace headgate::net
