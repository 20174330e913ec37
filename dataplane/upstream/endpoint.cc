#include "dataplane/upstream/endpoint.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "dataplane/net/tcp_transport.h"
#include "dataplane/upstream/cluster_set.h"

namespace headgate::upstream {

Endpoint::Endpoint(ClusterSet& set, const base::Address& address)
    : set_(set), address_(address), text_(address.Text()) {}

Endpoint::~Endpoint() = default;

http::ClientStream* Endpoint::Open(http::ClientStreamEvents& events, base::Arena& arena,
                                   const codec::AttemptTimeouts& timeouts, bool fresh) {
  http1::ClientConnection* connection = nullptr;
  if (!fresh && !idle_.empty()) {
    connection = idle_.back();
    idle_.pop_back();
    set_.OnIdleCount(*this, -1);
  } else {
    connection = Connect(timeouts);
  }
  return connection == nullptr ? nullptr : &connection->StartAttempt(events, arena, timeouts);
}

http1::ClientConnection* Endpoint::Connect(const codec::AttemptTimeouts& timeouts) {
  auto fd = net::ConnectTcp(address_);
  if (!fd.ok()) return nullptr;
  http1::ClientConnectionOwner& owner = *this;
  auto connection = std::make_unique<http1::ClientConnection>(
      set_.io(), set_.client_options(), owner, std::make_unique<net::TcpTransport>(*std::move(fd)));
  if (!connection->Start(timeouts.connect)) return nullptr;
  http1::ClientConnection* raw = connection.get();
  connections_.push_back(std::move(connection));
  return raw;
}

void Endpoint::OnConnectionIdle(http1::ClientConnection& connection) {
  idle_.push_back(&connection);
  set_.OnIdleCount(*this, +1);
}

void Endpoint::OnConnectionClosed(http1::ClientConnection& connection) {
  if (const auto idle = std::find(idle_.begin(), idle_.end(), &connection); idle != idle_.end()) {
    idle_.erase(idle);
    set_.OnIdleCount(*this, -1);
  }
  const auto owned = std::find_if(connections_.begin(), connections_.end(),
                                  [&](const auto& candidate) { return candidate.get() == &connection; });
  set_.io().loop().Retire(std::move(*owned));
  std::swap(*owned, connections_.back());
  connections_.pop_back();
  if (leaving_ && connections_.empty()) set_.OnEndpointLeft(*this);
}

void Endpoint::Leave() {
  leaving_ = true;
  if (connections_.empty()) {
    set_.OnEndpointLeft(*this);
  } else {
    CloseIdleSince(net::TimePoint::max());  // the last one to close reports us as left
  }
}

void Endpoint::CloseIdleSince(net::TimePoint oldest) {
  const auto fresh = std::find_if(idle_.begin(), idle_.end(), [&](const http1::ClientConnection* connection) {
    return connection->idle_since() > oldest;
  });
  CloseOldestIdle(static_cast<size_t>(fresh - idle_.begin()));
}

void Endpoint::CloseOldestIdle(size_t count) {
  // Close() comes back through OnConnectionClosed, which takes the connection off idle_.
  const std::vector<http1::ClientConnection*> doomed(idle_.begin(),
                                                     idle_.begin() + static_cast<ptrdiff_t>(count));
  for (http1::ClientConnection* connection : doomed) connection->Close();
}

}  // namespace headgate::upstream
