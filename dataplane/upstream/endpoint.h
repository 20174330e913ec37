#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/balance/peer.h"
#include "dataplane/base/address.h"
#include "dataplane/base/arena.h"
#include "dataplane/base/failure.h"
#include "dataplane/base/intrusive_list.h"
#include "dataplane/codec/options.h"
#include "dataplane/config/compiled_config.h"
#include "dataplane/http/stream.h"
#include "dataplane/net/event_loop.h"
#include "dataplane/net/socket.h"
#include "dataplane/net/transport.h"
#include "dataplane/tls/client_context.h"
#include "dataplane/upstream/endpoint_usage.h"

namespace headgate::upstream {

class Cluster;
class ClusterSet;

// How an attempt went, for whoever judges endpoints by it.
struct AttemptOutcome {
  // kNone: it has delivered its whole response, or was given up.
  base::Failure::Kind failure = base::Failure::Kind::kNone;
  bool given_up =
      false;  // by us or by the client: says nothing about the endpoint beyond what follows
  uint16_t status = 0;  // 0: no response head came
  // From the beginning of the attempt, the making of a connection included, to the response head.
  // Negative: none came.
  std::chrono::microseconds header_time{-1};
};

// One address of one cluster as one worker sees it, with its connections; how they are shared out
// among attempts is the protocol's, see the derived classes. Survives every change of configuration
// as long as the address stays in the cluster and is spoken to in the same way; afterwards it takes
// no new requests and lives until its last exchange is over.
class Endpoint : public net::Retirable,
                 public base::ListNode,  // in ClusterSet's list of endpoints with idle connections
                 public balance::Peer {
 public:
  // `cluster` outlives this or makes it leave. `tls` is null for plain TCP; it is used by Open
  // only.
  static std::unique_ptr<Endpoint> Make(ClusterSet& set, Cluster& cluster,
                                        const base::Address& address, config::Protocol protocol,
                                        tls::ClientContext* tls);

  const base::Address& address() const { return address_; }
  // "10.0.0.1:8080"; of those it may be reached by, the one used last.
  std::string_view text() const { return text_; }
  // Where it may be reached, most wanted first (config::CompiledEndpoint); null: at its address.
  void SetCandidates(std::shared_ptr<const std::vector<base::Address>> candidates);

  // A stream for one attempt: on a connection that is there unless `fresh`, else on a new one that
  // is still connecting. Where the endpoint is told who the client is, `preamble` says so
  // (net/proxy_protocol.h): the connection is then new and serves this attempt alone. Nullptr when
  // no connection could be begun: see unopened().
  virtual http::ClientStream* Open(http::ClientStreamEvents& events, base::Arena& arena,
                                   const codec::AttemptTimeouts& timeouts, bool fresh,
                                   std::string_view preamble) = 0;

  // What has become of an attempt that Open gave no stream: the endpoint's failure (no route to
  // it), unless the system was out of descriptors, memory or ports.
  AttemptOutcome unopened() const {
    if (lacked_resources_) return {.given_up = true};
    return {.failure = base::Failure::Kind::kConnectRefused};
  }

  // What its cluster says of connections; null: nothing. Takes effect with connections that are
  // there too, but for their protocol, which stays.
  void SetConnectionRules(const config::ConnectionRules* rules);
  std::chrono::milliseconds idle_timeout(std::chrono::milliseconds general) const {
    const OwnRules* const own = own_rules();
    return own == nullptr || own->idle_timeout.count() == 0 ? general : own->idle_timeout;
  }
  // Idle connections beyond what it may keep.
  size_t surplus() const {
    const OwnRules* const own = own_rules();
    return own == nullptr || own->max_idle == 0 || idle_count() <= own->max_idle
               ? 0
               : idle_count() - own->max_idle;
  }

  // Room for one attempt of the Open that follows at once, where there are limits: beginning one
  // without it is not prevented, but counted. REQUIRES: limited().
  bool TryTake(const config::UpstreamLimits& limits, bool fresh, bool with_preamble) {
    return usage()->TryTake(limits, NeedsConnection(fresh, with_preamble));
  }
  // What it counts in from now on; nulls: nothing. What is in use moves along.
  void SetUsage(const std::shared_ptr<config::ClusterUsage>& cluster,
                const std::shared_ptr<config::UsageCount>& requests);
  bool limited() const { return usage() != nullptr; }
  // Under way for all workers. REQUIRES: limited().
  uint32_t requests_of_all() const { return usage()->requests(); }

  // Makes connections that wait for requests, `most` of them at most, until there are `wanted` in
  // all; HTTP/2 needs but one. They count as idle from the beginning. False: one could not be
  // begun.
  virtual bool Warm(size_t wanted, size_t most, std::chrono::milliseconds connect_timeout) = 0;

  // Around each attempt, whether or not Open gives a stream.
  void OnAttemptBegin();
  void OnAttemptEnd(const AttemptOutcome& outcome);

  // Instead of Open: around a connection that somebody else makes, with one of Addresses(), and
  // keeps, to carry bytes that are nothing to us. It counts as an attempt, and the endpoint lives
  // until its end.
  void OnRawBegin();
  void OnRawEnd(const AttemptOutcome& outcome);
  // Where it may be reached, most wanted first.
  std::vector<base::Address> Addresses() const {
    return races() ? RaceOrder() : std::vector<base::Address>{address_};
  }
  // A connection has been made with one of them.
  void NoteReached(const base::Address& address);

  // No longer part of its cluster. Closes what is idle; the rest closes after its exchange.
  void Leave();
  bool leaving() const { return cluster_ == nullptr; }

  // Closes idle connections that have been so since `oldest` or longer, or are too old.
  virtual void CloseIdleSince(net::TimePoint oldest) = 0;
  // Closes the `count` connections that have been idle longest.
  virtual void CloseOldestIdle(size_t count) = 0;

  virtual size_t connection_count() const = 0;
  virtual size_t idle_count() const = 0;
  // Whether Open would use a connection that has no request now, or make one.
  virtual bool NeedsConnection(bool fresh, bool with_preamble) const = 0;

 protected:
  Endpoint(ClusterSet& set, Cluster& cluster, const base::Address& address,
           tls::ClientContext* tls);

  // `single_use`: of connections that serve one attempt. Lives as long as this.
  const codec::ClientOptions& client_options(bool single_use) const;

  // A transport that has begun to connect, or nullptr, counted, when that failed at once. REQUIRES:
  // !races().
  std::unique_ptr<net::Transport> Connect();
  // Whether connections are made with whichever of several addresses answers first.
  bool races() const { return extras_ != nullptr && extras_->candidates != nullptr; }
  // Those, the one that was good last before all others.
  std::vector<base::Address> RaceOrder() const;
  // For a connection with one of them.
  std::unique_ptr<net::Transport> TakeWinner(net::Fd fd, const base::Address& address);
  bool speaks_tls() const { return extras_ != nullptr && extras_->tls != nullptr; }
  // After a connection was forgotten.
  void OnConnectionGone();
  // After the number of connections with requests may have changed.
  void UpdateUsage() {
    if (EndpointUsage* const counts = usage(); counts != nullptr)
      counts->Set(active, static_cast<uint32_t>(connection_count() - idle_count()) + raw_);
  }

  ClusterSet& set_;

 private:
  struct Candidates {
    std::shared_ptr<const std::vector<base::Address>> addresses;
    base::Address last_good;  // its port is 0 before the first
  };
  struct OwnRules {
    codec::ClientOptions options;
    codec::ClientOptions single_use;
    std::chrono::milliseconds idle_timeout{0};  // here and below 0: as the worker has it
    size_t max_idle = 0;
  };
  // What few endpoints have.
  struct Extras {
    std::unique_ptr<Candidates> candidates;  // null: its address is all
    tls::ClientContext* tls = nullptr;       // null: plain TCP
    tls::SessionSlot session;
    std::unique_ptr<OwnRules> own;         // null: what the worker has; stays once it is there,
                                           // connections refer to it
    std::unique_ptr<EndpointUsage> usage;  // null: there are no limits
  };

  Extras& MakeExtras() {
    if (extras_ == nullptr) extras_ = std::make_unique<Extras>();
    return *extras_;
  }
  const OwnRules* own_rules() const { return extras_ == nullptr ? nullptr : extras_->own.get(); }
  EndpointUsage* usage() const { return extras_ == nullptr ? nullptr : extras_->usage.get(); }
  std::unique_ptr<net::Transport> MakeTransport(net::Fd fd);
  bool unused() const { return connection_count() == 0 && raw_ == 0; }

  Cluster* cluster_;  // null once it has left
  const base::Address address_;
  uint32_t raw_ : 31 = 0;  // connections between OnRawBegin and OnRawEnd
  uint32_t lacked_resources_ : 1 =
      0;  // the last connection that could not be begun was not for the endpoint
  std::string text_;
  std::unique_ptr<Extras> extras_;  // null, as for most: none; stays once it is there
};

}  // namespace headgate::upstream
