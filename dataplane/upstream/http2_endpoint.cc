#include "dataplane/upstream/http2_endpoint.h"

#include <algorithm>
#include <utility>

#include "dataplane/upstream/cluster_set.h"

namespace headgate::upstream {

http::ClientStream* Http2Endpoint::Open(http::ClientStreamEvents& events, base::Arena& arena,
                                        const codec::AttemptTimeouts& timeouts, bool fresh,
                                        std::string_view preamble) {
  const auto usable = Usable();
  http2::ClientConnection* connection = nullptr;
  if (preamble.empty() && !fresh && usable != connections_.end()) {
    connection = usable->connection.get();
    SetIdle(connections_[static_cast<size_t>(usable - connections_.begin())], false);
  } else {
    connection = Add(timeouts, preamble);
  }
  return connection == nullptr ? nullptr : &connection->StartAttempt(events, arena, timeouts);
}

std::vector<Http2Endpoint::Held>::const_iterator Http2Endpoint::Usable() const {
  return std::find_if(connections_.begin(), connections_.end(),
                      [](const Held& held) { return held.connection->available(); });
}

bool Http2Endpoint::NeedsConnection(bool fresh, bool with_preamble) const {
  if (fresh || with_preamble) return true;
  const auto usable = Usable();
  return usable == connections_.end() || usable->idle;
}

http2::ClientConnection* Http2Endpoint::Add(const codec::AttemptTimeouts& timeouts,
                                            std::string_view preamble) {
  std::unique_ptr<net::Transport> transport = races() ? nullptr : Connect();
  if (transport == nullptr && !races()) return nullptr;
  http2::ClientConnectionOwner& owner = *this;
  auto connection = std::make_unique<http2::ClientConnection>(
      set_.io(), client_options(!preamble.empty()), owner, std::move(transport));
  if (races()) {
    connection->StartRace(RaceOrder(), speaks_tls(), timeouts.connect, preamble);
  } else if (!connection->Start(timeouts.connect, preamble)) {
    return nullptr;
  }
  connections_.push_back({.connection = std::move(connection)});
  return connections_.back().connection.get();
}

bool Http2Endpoint::Warm(size_t wanted, size_t most, std::chrono::milliseconds connect_timeout) {
  if (wanted == 0 || most == 0 || !connections_.empty()) return true;
  http2::ClientConnection* const made = Add({.connect = connect_timeout}, {});
  if (made == nullptr) return false;
  OnConnectionIdle(*made);
  return true;
}

Http2Endpoint::Held& Http2Endpoint::Find(const http2::ClientConnection& connection) {
  return *std::find_if(connections_.begin(), connections_.end(),
                       [&](const Held& held) { return held.connection.get() == &connection; });
}

void Http2Endpoint::SetIdle(Held& held, bool idle) {
  if (held.idle == idle) return;
  held.idle = idle;
  idle_ += idle ? 1 : size_t(-1);
  set_.OnIdleCount(*this, idle ? +1 : -1);
}

void Http2Endpoint::OnConnectionIdle(http2::ClientConnection& connection) {
  SetIdle(Find(connection), true);
  UpdateUsage();
}

void Http2Endpoint::OnConnectionClosed(http2::ClientConnection& connection) {
  Held& held = Find(connection);
  SetIdle(held, false);
  set_.io().loop().Retire(std::move(held.connection));
  connections_.erase(connections_.begin() + (&held - connections_.data()));
  OnConnectionGone();
}

void Http2Endpoint::CloseIdleSince(net::TimePoint oldest) { Close(connections_.size(), oldest); }

void Http2Endpoint::CloseOldestIdle(size_t count) { Close(count, net::TimePoint::max()); }

void Http2Endpoint::Close(size_t count, net::TimePoint oldest) {
  std::vector<http2::ClientConnection*> doomed;
  for (const Held& held : connections_) {
    if (!held.idle) continue;
    if (held.connection->idle_since() <= oldest || held.connection->too_old())
      doomed.push_back(held.connection.get());
  }
  std::sort(doomed.begin(), doomed.end(),
            [](const auto* a, const auto* b) { return a->idle_since() < b->idle_since(); });
  doomed.resize(std::min(count, doomed.size()));
  // Close() comes back through OnConnectionClosed.
  for (http2::ClientConnection* connection : doomed) connection->Close();
}

}  // namespace headgate::upstream
