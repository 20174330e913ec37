#include "dataplane/upstream/http1_endpoint.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "dataplane/upstream/cluster_set.h"

namespace headgate::upstream {

http::ClientStream* Http1Endpoint::Open(http::ClientStreamEvents& events, base::Arena& arena,
                                        const codec::AttemptTimeouts& timeouts, bool fresh,
                                        std::string_view preamble) {
  http1::ClientConnection* connection = nullptr;
  if (preamble.empty() && !fresh && !idle_.empty()) {
    connection = idle_.back();
    idle_.pop_back();
    set_.OnIdleCount(*this, -1);
  } else {
    connection = Add(timeouts, preamble);
  }
  return connection == nullptr ? nullptr : &connection->StartAttempt(events, arena, timeouts);
}

http1::ClientConnection* Http1Endpoint::Add(const codec::AttemptTimeouts& timeouts,
                                            std::string_view preamble) {
  std::unique_ptr<net::Transport> transport = races() ? nullptr : Connect();
  if (transport == nullptr && !races()) return nullptr;
  http1::ClientConnectionOwner& owner = *this;
  auto connection = std::make_unique<http1::ClientConnection>(
      set_.io(), client_options(!preamble.empty()), owner, std::move(transport));
  if (races()) {
    connection->StartRace(RaceOrder(), timeouts.connect, preamble);
  } else if (!connection->Start(timeouts.connect, preamble)) {
    return nullptr;
  }
  http1::ClientConnection* raw = connection.get();
  connections_.push_back(std::move(connection));
  return raw;
}

bool Http1Endpoint::Warm(size_t wanted, size_t most, std::chrono::milliseconds connect_timeout) {
  for (; connections_.size() < wanted && most > 0; --most) {
    http1::ClientConnection* const made = Add({.connect = connect_timeout}, {});
    if (made == nullptr) return false;
    OnConnectionIdle(*made);
  }
  return true;
}

void Http1Endpoint::OnConnectionIdle(http1::ClientConnection& connection) {
  idle_.push_back(&connection);
  set_.OnIdleCount(*this, +1);
  UpdateUsage();
}

void Http1Endpoint::OnConnectionClosed(http1::ClientConnection& connection) {
  if (const auto idle = std::find(idle_.begin(), idle_.end(), &connection); idle != idle_.end()) {
    idle_.erase(idle);
    set_.OnIdleCount(*this, -1);
  }
  const auto owned =
      std::find_if(connections_.begin(), connections_.end(),
                   [&](const auto& candidate) { return candidate.get() == &connection; });
  set_.io().loop().Retire(std::move(*owned));
  std::swap(*owned, connections_.back());
  connections_.pop_back();
  OnConnectionGone();
}

void Http1Endpoint::CloseIdleSince(net::TimePoint oldest) {
  std::vector<http1::ClientConnection*> doomed;
  for (http1::ClientConnection* connection : idle_) {
    if (connection->idle_since() <= oldest || connection->too_old()) doomed.push_back(connection);
  }
  // Close() comes back through OnConnectionClosed, which takes the connection off idle_.
  for (http1::ClientConnection* connection : doomed) connection->Close();
}

void Http1Endpoint::CloseOldestIdle(size_t count) {
  const std::vector<http1::ClientConnection*> doomed(idle_.begin(),
                                                     idle_.begin() + static_cast<ptrdiff_t>(count));
  for (http1::ClientConnection* connection : doomed) connection->Close();
}

}  // namespace headgate::upstream
