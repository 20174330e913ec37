#pragma once

#include "dataplane/downstream/connections.h"
#include "dataplane/downstream/early_connection.h"

namespace headgate::downstream {

// The very beginning of a connection from a load balancer that says who its client is (net/proxy_protocol.h). Takes the
// header off the socket, and no byte more; then gives what it holds back to Connections, which goes on as with
// any accepted connection. What is no header, or takes too long, is closed without an answer.
class AddressGreeting final : public EarlyConnection {
 public:
  using EarlyConnection::EarlyConnection;

  // Call once, when the owner holds this.
  void Start();

 private:
  void OnIo(net::IoEvents events) override;
  void OnTimer(net::Timer& timer) override;

  void ReadHeader();
  void Refuse();
};

}  // namespace headgate::downstream
