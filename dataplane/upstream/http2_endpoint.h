#pragma once

#include <memory>
#include <vector>

#include "dataplane/http2/client_connection.h"
#include "dataplane/upstream/endpoint.h"

namespace headgate::upstream {

// HTTP/2: attempts share a connection as long as it takes streams; another one is made when none
// does.
class Http2Endpoint final : public Endpoint, private http2::ClientConnectionOwner {
 public:
  Http2Endpoint(ClusterSet& set, Cluster& cluster, const base::Address& address,
                tls::ClientContext* tls)
      : Endpoint(set, cluster, address, tls) {}

  http::ClientStream* Open(http::ClientStreamEvents& events, base::Arena& arena,
                           const codec::AttemptTimeouts& timeouts, bool fresh,
                           std::string_view preamble) override;
  bool Warm(size_t wanted, size_t most, std::chrono::milliseconds connect_timeout) override;
  void CloseIdleSince(net::TimePoint oldest) override;
  void CloseOldestIdle(size_t count) override;
  size_t connection_count() const override { return connections_.size(); }
  size_t idle_count() const override { return idle_; }
  bool NeedsConnection(bool fresh, bool with_preamble) const override;

 private:
  void OnConnectionIdle(http2::ClientConnection& connection) override;
  void OnConnectionClosed(http2::ClientConnection& connection) override;
  std::unique_ptr<net::Transport> OnRaceWon(net::Fd fd, const base::Address& address) override {
    return TakeWinner(std::move(fd), address);
  }
  http2::ClientConnection* Add(const codec::AttemptTimeouts& timeouts, std::string_view preamble);
  // Closes those idle since `oldest` or longer, or too old, the `count` longest idle ones at most.
  void Close(size_t count, net::TimePoint oldest);

  struct Held {
    std::unique_ptr<http2::ClientConnection> connection;
    bool idle = false;
  };
  // The one to use next; the end: there is none.
  std::vector<Held>::const_iterator Usable() const;
  Held& Find(const http2::ClientConnection& connection);
  void SetIdle(Held& held, bool idle);

  std::vector<Held> connections_;  // few; the one to use is the first that takes a stream
  size_t idle_ = 0;
};

}  // namespace headgate::upstream
