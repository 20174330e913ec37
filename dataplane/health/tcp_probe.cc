#include "dataplane/health/tcp_probe.h"

#include <utility>

namespace headgate::health {

absl::Status TcpProbe::Start() {
  auto fd = net::ConnectTcp(address_);
  if (!fd.ok()) return fd.status();
  fd_ = *std::move(fd);
  registration_ = loop_.Watch(fd_.get(), *this);
  return registration_ ? absl::OkStatus() : absl::ResourceExhaustedError("no watch");
}

void TcpProbe::OnIo(net::IoEvents events) {
  if (!events.writable) return;
  const bool connected = net::ConnectError(fd_.get()) == 0;
  registration_.Reset();
  fd_.Close();
  owner_.OnProbeDone({.success = connected, .detail = connected ? "connected" : "no connection"});
}

}  // namespace headgate::health
