#pragma once

#include "dataplane/net/socket.h"
#include "dataplane/net/transport.h"

namespace headgate::net {

// Plain TCP.
class TcpTransport final : public Transport {
 public:
  explicit TcpTransport(Fd fd) : fd_(std::move(fd)) {}

  int fd() const override { return fd_.get(); }
  IoResult Handshake() override { return {.status = IoResult::Status::kOk}; }
  IoResult Read(std::span<char> into) override;
  IoResult Write(std::span<const iovec> pieces) override;
  bool has_pipes() const override { return true; }
  IoResult ReadPipe(base::Pipe& into, size_t limit) override;
  IoResult WritePipe(base::Pipe& from) override;
  void ShutdownWrite() override;

  // Gives the socket away; the transport is of no further use.
  Fd TakeFd() { return std::move(fd_); }

 private:
  Fd fd_;
};

}  // namespace headgate::net
