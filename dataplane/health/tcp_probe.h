#pragma once

#include "dataplane/health/probe.h"
#include "dataplane/net/socket.h"

namespace headgate::health {

// A connection that comes about is a success.
class TcpProbe final : public Probe, private net::IoHandler {
 public:
  TcpProbe(net::EventLoop& loop, const base::Address& address, ProbeOwner& owner)
      : Probe(owner), loop_(loop), address_(address) {}

  absl::Status Start() override;

 private:
  void OnIo(net::IoEvents events) override;

  net::EventLoop& loop_;
  const base::Address address_;
  net::Fd fd_;
  net::IoRegistration registration_;
};

}  // namespace headgate::health
