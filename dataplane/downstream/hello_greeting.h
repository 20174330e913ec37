#pragma once

#include "dataplane/codec/server_connection.h"
#include "dataplane/downstream/connections.h"
#include "dataplane/net/event_loop.h"
#include "dataplane/net/timer_wheel.h"

namespace headgate::downstream {

// The beginning of a TLS connection while there are names whose TLS ends elsewhere: looks at the
// client's hello without taking it off the socket, then gives what it holds back to Connections, to
// be passed on, or for TLS to begin as if nobody had looked. What is no hello is TLS's to refuse.
class HelloGreeting final : public codec::ServerConnection,
                            private net::IoHandler,
                            private net::TimerHandler {
 public:
  // Both outlive the object. `accepted.transport` is plain TCP.
  HelloGreeting(Connections& owner, const codec::ServerEnvironment& environment,
                codec::Accepted accepted);

  // Call once, when the owner holds this. `edges` have come on a socket that is watched already.
  void Start(net::IoEvents edges);

  void Drain() override {}
  void Abort(const base::Failure& failure) override;

 private:
  void OnIo(net::IoEvents events) override;
  void OnTimer(net::Timer& timer) override;

  void Look();
  void Close();

  Connections& owner_;
  const codec::ServerEnvironment& environment_;
  codec::Accepted accepted_;
  net::Timer timer_;
  bool peer_closed_ = false;  // an edge said so
  bool over_ = false;
};

}  // namespace headgate::downstream
