#pragma once

#include <memory>
#include <utility>

#include "dataplane/downstream/connections.h"
#include "dataplane/downstream/early_connection.h"

namespace headgate::downstream {

// The very beginning of a connection from a load balancer that says who its client is
// (net/proxy_protocol.h). Takes the header off the socket, and no byte more; then gives what it
// holds back to Connections, which goes on as with any accepted connection. What is no header, or
// takes too long, is closed without an answer.
class AddressGreeting final : public EarlyConnection {
 public:
  // Of a connection that is passed on whatever it says.
  struct Raw {
    PassthroughTarget target;
    codec::LoadBalancers load_balancers;
  };

  // `raw`: null for what speaks HTTP.
  AddressGreeting(Connections& owner, const codec::ServerEnvironment& environment,
                  codec::Accepted accepted, std::unique_ptr<const Raw> raw)
      : EarlyConnection(owner, environment, std::move(accepted)), raw_(std::move(raw)) {}

  // Call once, when the owner holds this.
  void Start();

 private:
  void OnIo(net::IoEvents events) override;
  void OnTimer(net::Timer& timer) override;

  const codec::LoadBalancers& load_balancers() const {
    return raw_ != nullptr ? raw_->load_balancers : environment_.options.load_balancers;
  }
  void ReadHeader();
  void Refuse();

  const std::unique_ptr<const Raw> raw_;
};

}  // namespace headgate::downstream
