#pragma once

#include <memory>

#include "absl/container/inlined_vector.h"
#include "dataplane/http1/client_connection.h"
#include "dataplane/upstream/endpoint.h"

namespace headgate::upstream {

// HTTP/1.1: a connection serves one attempt at a time and waits for the next one in between.
class Http1Endpoint final : public Endpoint, private http1::ClientConnectionOwner {
 public:
  Http1Endpoint(ClusterSet& set, Cluster& cluster, const base::Address& address,
                tls::ClientContext* tls)
      : Endpoint(set, cluster, address, tls) {}

  http::ClientStream* Open(http::ClientStreamEvents& events, base::Arena& arena,
                           const codec::AttemptTimeouts& timeouts, bool fresh,
                           std::string_view preamble) override;
  bool Warm(size_t wanted, size_t most, std::chrono::milliseconds connect_timeout) override;
  void CloseIdleSince(net::TimePoint oldest) override;
  void CloseOldestIdle(size_t count) override;
  size_t connection_count() const override { return connections_.size(); }
  size_t idle_count() const override { return idle_.size(); }
  bool NeedsConnection(bool /*fresh*/, bool /*with_preamble*/) const override { return true; }

 private:
  void OnConnectionIdle(http1::ClientConnection& connection) override;
  void OnConnectionClosed(http1::ClientConnection& connection) override;
  std::unique_ptr<net::Transport> OnRaceWon(net::Fd fd, const base::Address& address) override {
    return TakeWinner(std::move(fd), address);
  }
  http1::ClientConnection* Add(const codec::AttemptTimeouts& timeouts, std::string_view preamble);

  absl::InlinedVector<std::unique_ptr<http1::ClientConnection>, 2> connections_;
  absl::InlinedVector<http1::ClientConnection*, 2> idle_;  // the one used last at the back
};

}  // namespace headgate::upstream
