#include "dataplane/downstream/address_greeting.h"

#include <algorithm>
#include <utility>

#include "dataplane/net/proxy_protocol.h"
#include "dataplane/net/socket.h"

namespace headgate::downstream {

using observe::CounterId;

void AddressGreeting::Start() {
  if (!Watch({})) return;
  timer_.Arm(load_balancers().header_timeout);
  ReadHeader();
}

void AddressGreeting::OnIo(net::IoEvents events) {
  peer_closed_ |= events.peer_closed;
  ReadHeader();
}

void AddressGreeting::OnTimer(net::Timer& /*timer*/) { Refuse(); }

void AddressGreeting::ReadHeader() {
  const net::ProxyHeaderResult result = net::TakeProxyHeader(accepted_.transport->fd());
  if (result.status == net::ProxyHeaderResult::Status::kIncomplete && !peer_closed_) return;
  if (result.status != net::ProxyHeaderResult::Status::kComplete) return Refuse();

  http::ConnectionInfo& info = accepted_.info;
  const auto& trusted = load_balancers().trusted;
  const bool believed = std::any_of(trusted.begin(), trusted.end(), [&](const base::Cidr& cidr) {
    return cidr.Contains(info.peer);
  });
  if (believed && result.header.addresses) {
    info.peer = result.header.addresses->source;
    info.local = result.header.addresses->destination;
    info.peer_ip = info.peer.IpText();
    info.via_load_balancer = true;
  }
  End();
  // The edge that brought the header may have brought what follows it.
  const net::IoEvents edges{.readable = true, .peer_closed = peer_closed_};
  if (raw_ != nullptr) return owner_.PassOn(*this, std::move(accepted_), raw_->target, edges);
  owner_.Continue(*this, std::move(accepted_), edges);
}

void AddressGreeting::Refuse() {
  environment_.io.counters()[CounterId::kDownstreamProxyHeaderFailures].Add();
  Close();
}

}  // namespace headgate::downstream
