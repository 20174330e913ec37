#pragma once

#include <cstddef>
#include <memory>

#include "dataplane/base/failure.h"
#include "dataplane/codec/options.h"
#include "dataplane/codec/worker_io.h"
#include "dataplane/http/connection_info.h"
#include "dataplane/http/stream.h"
#include "dataplane/net/event_loop.h"
#include "dataplane/net/transport.h"

namespace headgate::codec {

class ServerConnection;

// Where the connections with clients live.
class ServerConnectionOwner {
 public:
  // The connection has closed itself and is inert: forget it and hand it to EventLoop::Retire.
  virtual void OnConnectionClosed(ServerConnection& connection) = 0;

 protected:
  ~ServerConnectionOwner() = default;
};

// What all connections of a worker with its clients work with. Everything outlives them; `options`
// is read at each use.
struct ServerEnvironment {
  WorkerIo& io;
  const ServerOptions& options;
  http::ServerHandler& handler;
  ServerConnectionOwner& owner;
};

// An accepted connection on its way to who speaks its protocol.
struct Accepted {
  std::unique_ptr<net::Transport>
      transport;  // its handshake is complete once the protocol is known
  // Empty if nobody has watched the socket yet.
  net::IoRegistration registration;
  http::ConnectionInfo info;
};

// One connection with a client, whatever is spoken on it. Owned by a ServerConnectionOwner, on the
// worker's thread.
class ServerConnection : public net::Retirable {
 public:
  // Drain will come: HTTP/1 says with each response that it is the last, so that few connections
  // are idle by then. One that HTTP/2 is spoken on can be told at any time, and need not know.
  virtual void AnnounceEnd() {}
  // Closes now if no request is under way, else after the response; HTTP/2 announces the end first.
  virtual void Drain() = 0;
  // Closes now. Exchanges see OnDownstreamReset(failure). OnConnectionClosed is called from inside.
  virtual void Abort(const base::Failure& failure) = 0;

  // The owner's place for it.
  size_t owner_index = 0;
};

}  // namespace headgate::codec
