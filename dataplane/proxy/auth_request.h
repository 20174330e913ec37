#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/base/arena.h"
#include "dataplane/codec/options.h"
#include "dataplane/config/compiled_config.h"
#include "dataplane/http/stream.h"
#include "dataplane/net/event_loop.h"
#include "dataplane/upstream/cluster_set.h"

namespace headgate::proxy {

class AuthRequest;
class AuthRequestOwner {
 public:
  // It is over; answer() says how. Called once, from the loop or from Start; the request may be
  // destroyed by it.
  virtual void OnAuthAnswered(const AuthRequest& request) = 0;

 protected:
  ~AuthRequestOwner() = default;
};

// A request of our own to a cluster, asking whether a client's request may pass. Two attempts at
// most. Destroying it gives it up.
class AuthRequest final : private http::ClientStreamEvents {
 public:
  // References outlive this; the answer lives in `arena`.
  AuthRequest(AuthRequestOwner& owner, upstream::ClusterSet& clusters, net::EventLoop& loop,
              config::ClusterSlot cluster, const codec::AttemptTimeouts& timeouts,
              base::Arena& arena)
      : owner_(owner),
        clusters_(clusters),
        loop_(loop),
        cluster_(cluster),
        timeouts_(timeouts),
        arena_(arena) {}
  ~AuthRequest() { Abandon(); }
  AuthRequest(const AuthRequest&) = delete;
  AuthRequest& operator=(const AuthRequest&) = delete;

  // To be filled in before Start.
  http::RequestHead& head() { return head_; }
  void Start() { OpenAttempt(); }

  // Null: none came.
  const http::ResponseHead* answer() const { return answered_ ? &answer_ : nullptr; }

 private:
  // What follows the head of an answer is of no use; it is read so that the connection can be used
  // again, as long as it is short.
  static constexpr size_t kMaxBody = 64 * 1024;
  static constexpr int kMaxAttempts = 2;

  void OpenAttempt();
  void Detach(upstream::AttemptOutcome outcome);
  void Abandon();
  void Finish();

  void OnResponseInformational(const http::ResponseHead&) override {}
  void OnResponseHead(const http::ResponseHead& head, bool end) override;
  void OnResponseBody(std::string_view piece, bool end) override;
  void OnResponseTrailers(const http::HeaderMap&) override { Finish(); }
  void OnUpstreamWritable() override {}
  void OnUpstreamReset(const base::Failure& failure) override;

  AuthRequestOwner& owner_;
  upstream::ClusterSet& clusters_;
  net::EventLoop& loop_;
  const config::ClusterSlot cluster_;
  const codec::AttemptTimeouts timeouts_;
  base::Arena& arena_;
  http::RequestHead head_;
  http::ResponseHead answer_;
  bool answered_ = false;
  http::ClientStream* stream_ = nullptr;    // null: no attempt under way
  upstream::Endpoint* endpoint_ = nullptr;  // of the attempt
  balance::PeerId tried_ = 0;
  net::TimePoint started_;
  int attempts_ = 0;
  size_t body_ = 0;
};

}  // namespace headgate::proxy
