#pragma once

#include "dataplane/downstream/connections.h"
#include "dataplane/downstream/early_connection.h"

namespace headgate::downstream {

// The beginning of a TLS connection while there are names whose TLS ends elsewhere: looks at the
// client's hello without taking it off the socket, then gives what it holds back to Connections, to
// be passed on, or for TLS to begin as if nobody had looked. What is no hello is TLS's to refuse.
class HelloGreeting final : public EarlyConnection {
 public:
  // `accepted.transport` is plain TCP.
  using EarlyConnection::EarlyConnection;

  // Call once, when the owner holds this. `edges` have come on a socket that is watched already.
  void Start(net::IoEvents edges);

 private:
  void OnIo(net::IoEvents events) override;
  void OnTimer(net::Timer& timer) override;

  void Look();
};

}  // namespace headgate::downstream
