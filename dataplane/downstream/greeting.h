#pragma once

#include <string>
#include <string_view>

#include "dataplane/codec/server_connection.h"
#include "dataplane/downstream/connections.h"
#include "dataplane/net/event_loop.h"
#include "dataplane/net/timer_wheel.h"

namespace headgate::downstream {

// The beginning of a client connection, until it is known what is spoken on it: by the protocol agreed on in the TLS
// handshake, on a plain connection by the first bytes. Then it gives what it holds to Connections::Promote and is no
// more.
class Greeting final : public codec::ServerConnection,
                       private net::IoHandler,
                       private net::TimerHandler {
 public:
  // Both outlive the object.
  Greeting(Connections& owner, const codec::ServerEnvironment& environment,
           codec::Accepted accepted);

  // Call once, when the owner holds this. `edges` have come on a socket that is watched already.
  void Start(net::IoEvents edges);

  // A handshake goes on, and the client gets an answer to its first request; one that has said nothing is closed.
  void Drain() override;
  void Abort(const base::Failure& failure) override;

 private:
  void OnIo(net::IoEvents events) override;
  void OnTimer(net::Timer& timer) override;

  void ContinueHandshake();
  void ReadPreface();
  void Promote(Protocol protocol, std::string_view early, bool readable);
  void Close();

  Connections& owner_;
  const codec::ServerEnvironment& environment_;
  codec::Accepted accepted_;
  net::Timer timer_;
  std::string held_;          // a beginning of HTTP/2's preface
  bool peer_closed_ = false;  // an edge said so
  bool over_ = false;
};

}  // namespace headgate::downstream
