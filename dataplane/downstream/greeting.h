#pragma once

#include "dataplane/codec/server_connection.h"
#include "dataplane/downstream/connections.h"
#include "dataplane/net/event_loop.h"
#include "dataplane/net/timer_wheel.h"

namespace headgate::downstream {

// The beginning of a client connection, until it is known what is spoken on it: the TLS handshake. Then it gives what
// it holds to Connections::Promote and is no more.
class Greeting final : public codec::ServerConnection,
                       private net::IoHandler,
                       private net::TimerHandler {
 public:
  // Both outlive the object.
  Greeting(Connections& owner, const codec::ServerEnvironment& environment,
           codec::Accepted accepted);

  // Call once, when the owner holds this. `edges` have come on a socket that is watched already.
  void Start(net::IoEvents edges);

  // Goes on: a client that has come this far gets an answer to its first request.
  void Drain() override {}
  void Abort(const base::Failure& failure) override;

 private:
  void OnIo(net::IoEvents events) override;
  void OnTimer(net::Timer& timer) override;

  void ContinueHandshake();
  void Promote();
  void Close();

  Connections& owner_;
  const codec::ServerEnvironment& environment_;
  codec::Accepted accepted_;
  net::Timer timer_;
  bool peer_closed_ = false;  // an edge said so
  bool over_ = false;
};

}  // namespace headgate::downstream
