#include "dataplane/health/probe.h"

#include "dataplane/health/stream_probe.h"
#include "dataplane/health/tcp_probe.h"

namespace headgate::health {

std::unique_ptr<Probe> Probe::Make(const ProbeContext& context, const base::Address& address,
                                   tls::SessionSlot& session, ProbeOwner& owner) {
  using Kind = config::HealthCheck::Kind;
  if (context.check.kind == Kind::kTcp) {
    return std::make_unique<TcpProbe>(context.io.loop(), address, owner);
  }
  const bool http2 = context.check.kind == Kind::kGrpc ||
                     context.protocol == config::Protocol::kH2c ||
                     context.protocol == config::Protocol::kH2;
  if (http2) return std::make_unique<Http2Probe>(context, address, session, owner);
  return std::make_unique<Http1Probe>(context, address, session, owner);
}

}  // namespace headgate::health
