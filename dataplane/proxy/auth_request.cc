#include "dataplane/proxy/auth_request.h"

#include <span>
#include <utility>

#include "dataplane/proxy/retry.h"

namespace headgate::proxy {

using base::Failure;

void AuthRequest::OpenAttempt() {
  upstream::Cluster* cluster = clusters_.Find(cluster_);
  if (cluster == nullptr) return Finish();
  const size_t tried = attempts_ > 0 ? 1 : 0;
  upstream::Endpoint* endpoint =
      cluster->Pick({.tried = std::span<const balance::PeerId>(&tried_, tried),
                     .active_total = cluster->active_total(),
                     .now = loop_.now()});
  if (endpoint == nullptr) return Finish();
  const bool fresh = attempts_ > 0;
  // Where the server has as many requests as it may, this one does not wait: the client's waits
  // already.
  if (cluster->limited() &&
      (endpoint = cluster->Take(*endpoint, {&tried_, tried}, fresh, false)) == nullptr) {
    return Finish();
  }
  ++attempts_;
  tried_ = endpoint->id;
  started_ = loop_.now();
  endpoint_ = endpoint;
  endpoint->OnAttemptBegin();
  stream_ = endpoint->Open(*this, arena_, timeouts_, fresh, {});
  if (stream_ == nullptr) {
    std::exchange(endpoint_, nullptr)->OnAttemptEnd(endpoint->unopened());
    return Finish();
  }
  stream_->SendHead(head_, true);
}

void AuthRequest::OnResponseHead(const http::ResponseHead& head, bool end) {
  answer_ = head;
  answered_ = true;
  if (end) Finish();
}

void AuthRequest::OnResponseBody(std::string_view piece, bool end) {
  body_ += piece.size();
  if (!end && body_ <= kMaxBody) return;
  if (!end) stream_->Reset();
  Finish();
}

void AuthRequest::OnUpstreamReset(const Failure& failure) {
  const RetryState state{.method = head_.method,
                         .reused = stream_->reused(),
                         .attempts = static_cast<size_t>(attempts_)};
  const bool ours = failure.side == Failure::Side::kInternal;
  Detach({.failure = ours ? Failure::Kind::kNone : failure.kind, .given_up = ours});
  // Once the head is here nothing else matters.
  const config::RetryPolicy policy{.conditions = config::RetryPolicy::kError,
                                   .tries = kMaxAttempts};
  if (!answered_ && MayRetry(policy, state, failure)) return OpenAttempt();
  Finish();
}

void AuthRequest::Detach(upstream::AttemptOutcome outcome) {
  stream_ = nullptr;
  outcome.status = answered_ ? answer_.status : uint16_t{0};
  if (answered_) {
    outcome.header_time =
        std::chrono::duration_cast<std::chrono::microseconds>(loop_.now() - started_);
  }
  if (endpoint_ != nullptr) std::exchange(endpoint_, nullptr)->OnAttemptEnd(outcome);
}

void AuthRequest::Abandon() {
  if (stream_ == nullptr) return;
  stream_->Reset();
  Detach({.given_up = true});
}

void AuthRequest::Finish() {
  if (stream_ != nullptr) Detach({});
  owner_.OnAuthAnswered(*this);
}

}  // namespace headgate::proxy
