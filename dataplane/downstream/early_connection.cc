#include "dataplane/downstream/early_connection.h"

#include <utility>

namespace headgate::downstream {

EarlyConnection::EarlyConnection(Connections& owner, const codec::ServerEnvironment& environment,
                                 codec::Accepted accepted)
    : owner_(owner),
      environment_(environment),
      accepted_(std::move(accepted)),
      timer_(environment.io.loop().timers(), *this) {}

bool EarlyConnection::Watch(net::IoEvents edges) {
  peer_closed_ = edges.peer_closed;
  if (accepted_.registration) {
    accepted_.registration.SetHandler(*this);
  } else {
    accepted_.registration = environment_.io.loop().Watch(accepted_.transport->fd(), *this);
  }
  if (!accepted_.registration) Close();
  return static_cast<bool>(accepted_.registration);
}

void EarlyConnection::End() {
  over_ = true;
  timer_.Cancel();
}

void EarlyConnection::Abort(const base::Failure& /*failure*/) { Close(); }

void EarlyConnection::Close() {
  if (over_) return;
  End();
  accepted_.registration.Reset();
  accepted_.transport.reset();
  environment_.owner.OnConnectionClosed(*this);
}

}  // namespace headgate::downstream
