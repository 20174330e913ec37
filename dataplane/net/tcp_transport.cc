#include "dataplane/net/tcp_transport.h"

#include <errno.h>
#include <sys/socket.h>

#include "dataplane/net/pipe.h"

namespace headgate::net {
namespace {

IoResult FromErrno(int error) {
  using Status = IoResult::Status;
  if (error == EAGAIN || error == EWOULDBLOCK) return {.status = Status::kBlocked, .drained = true};
  const bool reset = error == ECONNRESET || error == EPIPE;
  return {.status = Status::kFailed,
          .failure = reset ? base::Failure::Kind::kReset : base::Failure::Kind::kClosed};
}

}  // namespace

IoResult TcpTransport::Read(std::span<char> into) {
  ssize_t got;
  do {
    got = recv(fd_.get(), into.data(), into.size(), 0);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return FromErrno(errno);
  if (got == 0) return {.status = IoResult::Status::kEof};
  const auto bytes = static_cast<size_t>(got);
  return {.status = IoResult::Status::kOk, .bytes = bytes, .drained = bytes < into.size()};
}

IoResult TcpTransport::Write(std::span<const iovec> pieces) {
  size_t total = 0;
  for (const iovec& piece : pieces) total += piece.iov_len;
  ssize_t sent;
  do {
    if (pieces.size() == 1) {
      sent = send(fd_.get(), pieces[0].iov_base, pieces[0].iov_len, MSG_NOSIGNAL);
    } else {
      msghdr message{};
      message.msg_iov = const_cast<iovec*>(pieces.data());
      message.msg_iovlen = pieces.size();
      sent = sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
    }
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return FromErrno(errno);
  const auto bytes = static_cast<size_t>(sent);
  return {.status = IoResult::Status::kOk, .bytes = bytes, .drained = bytes < total};
}

IoResult TcpTransport::ReadPipe(base::Pipe& into, size_t limit) {
  const ssize_t moved = FillPipe(into, fd_.get(), limit);
  if (moved < 0) return FromErrno(errno);
  if (moved == 0) return {.status = IoResult::Status::kEof};
  return {.status = IoResult::Status::kOk, .bytes = static_cast<size_t>(moved)};
}

IoResult TcpTransport::WritePipe(base::Pipe& from) {
  const ssize_t moved = DrainPipe(from, fd_.get());
  if (moved < 0) return FromErrno(errno);
  return {.status = IoResult::Status::kOk, .bytes = static_cast<size_t>(moved)};
}

void TcpTransport::ShutdownWrite() { shutdown(fd_.get(), SHUT_WR); }

}  // namespace headgate::net
