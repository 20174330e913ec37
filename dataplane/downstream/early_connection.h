#pragma once

#include "dataplane/codec/server_connection.h"
#include "dataplane/net/event_loop.h"
#include "dataplane/net/timer_wheel.h"

namespace headgate::downstream {

class Connections;

// A client connection of which it is not yet known what becomes of it: a socket, a time limit, and
// nobody to answer. What it holds goes back to Connections as soon as that is known.
class EarlyConnection : public codec::ServerConnection,
                        protected net::IoHandler,
                        protected net::TimerHandler {
 public:
  // Both outlive the object.
  EarlyConnection(Connections& owner, const codec::ServerEnvironment& environment,
                  codec::Accepted accepted);

  void Drain() override {}
  void Abort(const base::Failure& failure) override;

 protected:
  // Watches the socket, or takes over the watch; `edges` have come on it already. False: this is
  // closed.
  bool Watch(net::IoEvents edges);
  // Before `accepted_` is given back: nothing more happens here.
  void End();
  void Close();

  Connections& owner_;
  const codec::ServerEnvironment& environment_;
  codec::Accepted accepted_;
  net::Timer timer_;
  bool peer_closed_ = false;  // an edge said so

 private:
  bool over_ = false;
};

}  // namespace headgate::downstream
