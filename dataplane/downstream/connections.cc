#include "dataplane/downstream/connections.h"

#include <utility>

#include "common/check.h"
#include "dataplane/downstream/address_greeting.h"
#include "dataplane/downstream/greeting.h"
#include "dataplane/downstream/hello_greeting.h"
#include "dataplane/http1/server_connection.h"
#include "dataplane/http2/server_connection.h"
#include "dataplane/net/tcp_transport.h"

namespace headgate::downstream {

using observe::CounterId;

Connections::Connections(codec::WorkerIo& io, const codec::ServerOptions& options,
                         http::ServerHandler& handler, PassthroughServices* passthrough)
    : environment_{io, options, handler, *this}, passthrough_(passthrough) {}

Connections::~Connections() { CloseAll(); }

codec::Accepted Connections::Accept(std::unique_ptr<net::Transport> transport,
                                    http::ConnectionInfo info) {
  environment_.io.counters()[CounterId::kDownstreamConnections].Add();
  environment_.io.counters()[CounterId::kDownstreamConnectionsActive].Add();
  return {std::move(transport), {}, std::move(info)};
}

void Connections::Add(std::unique_ptr<net::Transport> transport, http::ConnectionInfo info) {
  codec::Accepted accepted = Accept(std::move(transport), std::move(info));
  if (!environment_.options.load_balancers.required) return Begin(std::move(accepted), {});
  auto greeting =
      std::make_unique<AddressGreeting>(*this, environment_, std::move(accepted), nullptr);
  AddressGreeting& started = *greeting;
  Insert(std::move(greeting));
  started.Start();
}

void Connections::AddRaw(std::unique_ptr<net::Transport> transport, http::ConnectionInfo info,
                         const PassthroughTarget& target,
                         const codec::LoadBalancers& load_balancers) {
  codec::Accepted accepted = Accept(std::move(transport), std::move(info));
  if (!load_balancers.required) return StartPassthrough(std::move(accepted), {}, target, {});
  auto raw = std::make_unique<AddressGreeting::Raw>(AddressGreeting::Raw{target, load_balancers});
  auto greeting =
      std::make_unique<AddressGreeting>(*this, environment_, std::move(accepted), std::move(raw));
  AddressGreeting& started = *greeting;
  Insert(std::move(greeting));
  started.Start();
}

void Connections::PassOn(codec::ServerConnection& greeting, codec::Accepted accepted,
                         const PassthroughTarget& target, net::IoEvents edges) {
  Remove(greeting);
  StartPassthrough(std::move(accepted), {}, target, edges);
}

void Connections::StartPassthrough(codec::Accepted accepted, std::string_view server_name,
                                   const PassthroughTarget& target, net::IoEvents edges) {
  auto passed = std::make_unique<Passthrough>(*passthrough_, environment_, std::move(accepted),
                                              server_name, target);
  Passthrough& started = *passed;
  Insert(std::move(passed));
  started.Start(edges);
}

void Connections::Continue(codec::ServerConnection& greeting, codec::Accepted accepted,
                           net::IoEvents edges) {
  Remove(greeting);
  Begin(std::move(accepted), edges);
}

void Connections::OnHello(codec::ServerConnection& greeting, codec::Accepted accepted,
                          std::string_view server_name, net::IoEvents edges) {
  const std::optional<PassthroughTarget> target = passthrough_->FindTarget(server_name);
  if (!target) {
    accepted.transport =
        passthrough_->TerminateTls(static_cast<net::TcpTransport&>(*accepted.transport).TakeFd());
    return Continue(greeting, std::move(accepted), edges);
  }
  Remove(greeting);
  StartPassthrough(std::move(accepted), server_name, *target, edges);
}

void Connections::Begin(codec::Accepted accepted, net::IoEvents edges) {
  if (accepted.info.tls && !accepted.transport->is_tls()) {
    auto greeting = std::make_unique<HelloGreeting>(*this, environment_, std::move(accepted));
    HelloGreeting& started = *greeting;
    Insert(std::move(greeting));
    started.Start(edges);
  } else if (accepted.transport->is_tls() || environment_.options.http2.on_plain_connections) {
    auto greeting = std::make_unique<Greeting>(*this, environment_, std::move(accepted));
    Greeting& started = *greeting;
    Insert(std::move(greeting));
    started.Start(edges);
  } else {
    auto http1 = std::make_unique<http1::ServerConnection>(environment_, std::move(accepted));
    http1::ServerConnection& started = *http1;
    Insert(std::move(http1));
    if (end_announced_) started.AnnounceEnd();
    started.Start({}, edges, draining_);
  }
}

void Connections::Insert(std::unique_ptr<codec::ServerConnection> connection) {
  connection->owner_index = connections_.size();
  connections_.push_back(std::move(connection));
}

void Connections::Promote(codec::ServerConnection& greeting, Protocol protocol,
                          codec::Accepted accepted, std::string_view early, net::IoEvents edges) {
  if (protocol == Protocol::kHttp2) {
    Replace<http2::ServerConnection>(greeting, std::move(accepted), early, edges);
  } else {
    Replace<http1::ServerConnection>(greeting, std::move(accepted), early, edges);
  }
}

template <typename Connection>
void Connections::Replace(codec::ServerConnection& greeting, codec::Accepted accepted,
                          std::string_view early, net::IoEvents edges) {
  const size_t index = greeting.owner_index;
  auto connection = std::make_unique<Connection>(environment_, std::move(accepted));
  Connection& started = *connection;
  started.owner_index = index;
  environment_.io.loop().Retire(std::exchange(connections_[index], std::move(connection)));
  if (end_announced_) started.AnnounceEnd();
  started.Start(early, edges, draining_);
}

void Connections::AnnounceEnd() {
  end_announced_ = true;
  for (auto& connection : connections_) connection->AnnounceEnd();
}

void Connections::Drain() {
  draining_ = true;
  // From the end, because a connection that closes is replaced by the last one.
  for (size_t i = connections_.size(); i-- > 0;) {
    if (i < connections_.size()) connections_[i]->Drain();
  }
}

void Connections::CloseAll() {
  while (!connections_.empty()) {
    connections_.back()->Abort({.side = base::Failure::Side::kDownstream,
                                .kind = base::Failure::Kind::kDraining,
                                .detail = "the proxy is shutting down"});
  }
}

void Connections::OnConnectionClosed(codec::ServerConnection& connection) {
  environment_.io.counters()[CounterId::kDownstreamConnectionsActive].Subtract();
  Remove(connection);
}

void Connections::Remove(codec::ServerConnection& connection) {
  const size_t index = connection.owner_index;
  HEADGATE_CHECK(index < connections_.size() && connections_[index].get() == &connection);
  std::unique_ptr<net::Retirable> retired = std::move(connections_[index]);
  if (index + 1 != connections_.size()) {
    connections_[index] = std::move(connections_.back());
    connections_[index]->owner_index = index;
  }
  connections_.pop_back();
  environment_.io.loop().Retire(std::move(retired));
}

}  // namespace headgate::downstream
