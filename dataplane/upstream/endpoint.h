#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "dataplane/base/address.h"
#include "dataplane/base/intrusive_list.h"
#include "dataplane/http1/client_connection.h"

namespace headgate::upstream {

class ClusterSet;

// One address of one cluster as one worker sees it, with its connections. Survives every change of configuration as
// long as the address stays in the cluster; afterwards it takes no new requests and lives until its last exchange
// is over.
class Endpoint final : public net::Retirable,
                       public base::ListNode,  // in ClusterSet's list of endpoints with idle connections
                       private http1::ClientConnectionOwner {
 public:
  Endpoint(ClusterSet& set, const base::Address& address);
  ~Endpoint() override;

  const base::Address& address() const { return address_; }
  // "10.0.0.1:8080"
  std::string_view text() const { return text_; }

  // A stream for one attempt: on an idle connection unless `fresh`, else on a new one that is still connecting.
  // Nullptr when the system is out of descriptors.
  http::ClientStream* Open(http::ClientStreamEvents& events, base::Arena& arena,
                           const codec::AttemptTimeouts& timeouts, bool fresh);

  // No longer part of its cluster. Closes what is idle; the rest closes after its exchange.
  void Leave();
  bool leaving() const { return leaving_; }

  // Closes connections that have been idle since `oldest` or longer.
  void CloseIdleSince(net::TimePoint oldest);
  // Closes the `count` connections that have been idle longest.
  void CloseOldestIdle(size_t count);

  size_t connection_count() const { return connections_.size(); }
  size_t idle_count() const { return idle_.size(); }

 private:
  void OnConnectionIdle(http1::ClientConnection& connection) override;
  void OnConnectionClosed(http1::ClientConnection& connection) override;
  http1::ClientConnection* Connect(const codec::AttemptTimeouts& timeouts);

  ClusterSet& set_;
  const base::Address address_;
  const std::string text_;
  absl::InlinedVector<std::unique_ptr<http1::ClientConnection>, 2> connections_;
  absl::InlinedVector<http1::ClientConnection*, 2> idle_;  // the one used last at the back
  bool leaving_ = false;
};

}  // namespace headgate::upstream
