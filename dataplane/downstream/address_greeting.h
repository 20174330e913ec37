#pragma once

#include "dataplane/codec/server_connection.h"
#include "dataplane/downstream/connections.h"
#include "dataplane/net/event_loop.h"
#include "dataplane/net/timer_wheel.h"

namespace headgate::downstream {

// The very beginning of a connection from a load balancer that says who its client is (net/proxy_protocol.h). Takes the
// header off the socket, and no byte more; then gives what it holds back to Connections, which goes on as with
// any accepted connection. What is no header, or takes too long, is closed without an answer.
class AddressGreeting final : public codec::ServerConnection,
                              private net::IoHandler,
                              private net::TimerHandler {
 public:
  // Both outlive the object.
  AddressGreeting(Connections& owner, const codec::ServerEnvironment& environment,
                  codec::Accepted accepted);

  // Call once, when the owner holds this.
  void Start();

  void Drain() override {}
  void Abort(const base::Failure& failure) override;

 private:
  void OnIo(net::IoEvents events) override;
  void OnTimer(net::Timer& timer) override;

  void ReadHeader();
  void Refuse();
  void Close();

  Connections& owner_;
  const codec::ServerEnvironment& environment_;
  codec::Accepted accepted_;
  net::Timer timer_;
  bool peer_closed_ = false;  // an edge said so
  bool over_ = false;
};

}  // namespace headgate::downstream
