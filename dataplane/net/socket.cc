#include "dataplane/net/socket.h"

#include <errno.h>
#include <netinet/tcp.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace headgate::net {

using base::Address;

namespace {

absl::Status SystemError(const char* what, const Address& address) {
  return absl::ErrnoToStatus(errno, absl::StrCat(what, " ", address.Text()));
}

void SetFlag(int fd, int level, int option, int value) {
  setsockopt(fd, level, option, &value, sizeof(value));
}

}  // namespace

absl::StatusOr<Fd> BindTcp(const Address& address) {
  sockaddr_storage storage;
  const socklen_t length = address.ToSockaddr(storage);
  Fd fd(socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return SystemError("cannot make a socket for", address);
  SetFlag(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  SetFlag(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  SetFlag(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  if (!address.is_v4()) SetFlag(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&storage), length) != 0) {
    return SystemError("cannot bind", address);
  }
  return fd;
}

absl::StatusOr<Address> LocalAddress(int fd) {
  sockaddr_storage storage;
  socklen_t length = sizeof(storage);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) {
    return absl::ErrnoToStatus(errno, "getsockname");
  }
  const auto address = Address::FromSockaddr(reinterpret_cast<sockaddr*>(&storage), length);
  if (!address) return absl::InternalError("socket has no IP address");
  return *address;
}

absl::StatusOr<Fd> ConnectTcp(const Address& address) {
  sockaddr_storage storage;
  const socklen_t length = address.ToSockaddr(storage);
  Fd fd(socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return SystemError("cannot make a socket for", address);
  SetFlag(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&storage), length) != 0 &&
      errno != EINPROGRESS) {
    return SystemError("cannot connect to", address);
  }
  return fd;
}

bool SendFirst(int fd, std::string_view bytes) {
  ssize_t sent;
  do {
    sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(bytes.size());
}

int ConnectError(int fd) {
  int error = 0;
  socklen_t length = sizeof(error);
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return errno;
  return error;
}

}  // namespace headgate::net
