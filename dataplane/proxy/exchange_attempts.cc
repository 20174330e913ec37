// Attempts of an exchange: which endpoint gets the request, and what follows when that fails.
#include <algorithm>
#include <cstdint>

#include "common/strings.h"
#include "dataplane/balance/hash_ring.h"
#include "dataplane/proxy/exchange.h"
#include "dataplane/proxy/local_reply.h"
#include "dataplane/proxy/session.h"

namespace headgate::proxy {

using base::Failure;
using config::Balancing;
using http::FieldId;
using observe::CounterId;

void Exchange::Forward() {
  Advance(Event::kForward);
  StartDeadline();
  first_attempt_started_ = services_.loop().now();
  OpenAttempt();
}

void Exchange::OpenAttempt() {
  const Failure none{Failure::Side::kUpstream, Failure::Kind::kNoEndpoint, Failure::Retry::kNever,
                     "no endpoint is available"};
  upstream::Cluster* cluster =
      services_.clusters().Find(cluster_slot_);  // may have changed since the last attempt
  if (cluster == nullptr) return Fail(none);
  if (record_.upstream_name.empty()) {
    record_.upstream_name = downstream_->arena().Copy(cluster->log_name());
  }
  upstream::Endpoint* endpoint = PickEndpoint(*cluster);
  if (endpoint == nullptr) return Fail(none);
  // Where one pooled connection was dead others may be: the next attempt does not try its luck
  // again.
  const bool fresh = attempt_reused_;
  if (cluster->limited()) {
    endpoint = TakeWithinLimits(*cluster, *endpoint);
    if (endpoint == nullptr) return WaitForRoom(*cluster);
  }
  StopWaitingForRoom();

  if (attempts_ == 0) cluster->retry_budget().OnRequest(first_attempt_started_);
  ++attempts_;
  attempt_started_ = services_.loop().event_now();
  observe::AttemptRecord& attempt = record_.attempt_storage[record_.attempt_count++];
  attempt = {};
  attempt.address = downstream_->arena().Copy(endpoint->text());
  endpoint_ = endpoint;
  endpoint->OnAttemptBegin();
  const std::string preamble =
      MakeProxyHeader(cluster->compiled().proxy_protocol, client_, downstream_->connection());
  upstream_ = endpoint->Open(*this, downstream_->arena(), attempt_timeouts(), fresh, preamble);
  attempt_reused_ = upstream_ != nullptr && upstream_->reused();
  if (upstream_ == nullptr) {
    endpoint->OnAttemptEnd(endpoint->unopened());
    return HandleAttemptFailure({Failure::Side::kUpstream, Failure::Kind::kConnectRefused,
                                 Failure::Retry::kAlways, "no connection could be begun"});
  }

  BuildUpstreamHead(*request_, client_, record_.request_id, forward_target_, upstream_head_);
  if (!forwarded_prefix_.empty()) {
    constexpr std::string_view kName = "X-Forwarded-Prefix";
    upstream_head_.fields.RemoveAlike(kName);
    upstream_head_.fields.Add(FieldId::kOther, kName, forwarded_prefix_);
  }
  if (trace_ != nullptr) TellTrace();
  EditRequest();
  if (route_ != nullptr && route_->access != nullptr) EditForUpstream(*route_->access);
  if (replaced_status_ != 0) AddErrorFields();
  const bool end = request_body_.BeginAttempt(upstream_head_);
  upstream_->SendHead(upstream_head_, end);
  SendHeldRequest();
}

// ---- room at the upstream
// ----------------------------------------------------------------------------------------

upstream::Endpoint* Exchange::TakeWithinLimits(upstream::Cluster& cluster,
                                               upstream::Endpoint& picked) {
  if (cluster.anybody_waits() && !waiting()) return nullptr;  // first come, first served
  const bool with_preamble = cluster.compiled().proxy_protocol != net::ProxyVersion::kNone;
  upstream::Endpoint* const taken =
      cluster.Take(picked, {tried_.data(), tried_count_}, attempt_reused_, with_preamble);
  if (taken == nullptr || taken == &picked || !session_begun_) return taken;
  // The session begins elsewhere than where it was to. Where its key is a place on the ring its
  // next request will show.
  if (cluster.compiled().balancing->affinity == Balancing::Affinity::kPersistent) {
    session_key_ = downstream_->arena().Copy(cluster.SessionKeyOf(*taken));
    session_begun_ = !session_key_.empty();
  }
  return taken;
}

void Exchange::WaitForRoom(upstream::Cluster& cluster) {
  if (waiting()) return;  // and keeps its place
  if (!cluster.Wait(*this)) {
    return Fail({Failure::Side::kUpstream, Failure::Kind::kUpstreamLimit, Failure::Retry::kNever,
                 "the upstream has as many requests as it may"});
  }
  room_timer_.Arm(attempt_timeouts().connect);
  if (!request_body_.complete() && request_body_.received() == 0) request_body_.Hold(buffering());
  UpdateHolds();
}

bool Exchange::TryBegin() {
  OpenAttempt();
  return !waiting();
}

void Exchange::OnWaitedTooLong() {
  upstream::Cluster* cluster = services_.clusters().Find(cluster_slot_);
  if (cluster != nullptr && cluster->limited()) cluster->CountRejected();
  Fail({Failure::Side::kUpstream, Failure::Kind::kUpstreamLimit, Failure::Retry::kNever,
        "there was no room at the upstream in time"});
}

void Exchange::StopWaitingForRoom() {
  if (!waiting() && !room_timer_.armed())
    return;  // one without the other: its queue has ended, or its time
  room_timer_.Cancel();
  StopWaiting();
  UpdateHolds();
}

// ---- which endpoint
// ---------------------------------------------------------------------------------------------

upstream::Endpoint* Exchange::PickEndpoint(upstream::Cluster& cluster) {
  balance::PickContext context{.tried = {tried_.data(), tried_count_}};
  const Balancing* balancing = cluster.compiled().balancing.get();
  if (balancing == nullptr) return cluster.Pick(context);
  context.now = services_.loop().now();
  context.active_total = cluster.active_total();
  if (balancing->affinity != Balancing::Affinity::kNone && route_ != nullptr &&
      route_->session_cookie != nullptr) {
    return PickForSession(cluster, context);
  }
  if (balancing->key == Balancing::HashKey::kClientAddress) {
    context.hash = balance::Crc32(client_.ip);
  } else if (balancing->key == Balancing::HashKey::kTemplate) {
    context.hash =
        balance::Crc32(policy::Expand(balancing->hash_by, variables(), downstream_->arena()));
  }
  return cluster.Pick(context);
}

upstream::Endpoint* Exchange::PickForSession(upstream::Cluster& cluster,
                                             balance::PickContext context) {
  const config::SessionCookie& cookie = *route_->session_cookie;
  const config::SessionKeys* keys = cluster.compiled().session_keys.get();
  if (keys == nullptr) return cluster.Pick(context);
  const bool balanced = cluster.compiled().balancing->affinity == Balancing::Affinity::kBalanced;
  const bool move = cookie.change_on_failure && tried_count_ > 0;
  if (!cookie.change_on_failure) context.tried = {};
  std::string_view key = session_key_;
  if (key.empty())
    key = SessionKeyIn(FindCookie(request_->fields, cookie.name), keys->upstream_key());

  if (!balanced) {
    upstream::Endpoint* endpoint = key.empty() || move ? nullptr : cluster.FindBySessionKey(key);
    if (endpoint != nullptr) return endpoint;
    endpoint = cluster.Pick(context);
    if (endpoint == nullptr) return nullptr;
    session_key_ = downstream_->arena().Copy(cluster.SessionKeyOf(*endpoint));
    session_begun_ = !session_key_.empty();
    return endpoint;
  }
  if (!key.empty() && !move) {
    context.hash = balance::Crc32(key);
    context.keeps_session = true;
    return cluster.Pick(context);
  }
  // A place where the session can stay: not one that belongs to an endpoint that drains, or has
  // just failed.
  constexpr int kDraws = 16;
  upstream::Endpoint* endpoint = nullptr;
  for (int i = 0; i < kDraws; ++i) {
    session_key_ = NewSessionKey();
    context.hash = balance::Crc32(session_key_);
    endpoint = cluster.Pick(context);
    balance::PickContext later = context;
    later.tried = {};
    later.keeps_session = true;
    if (endpoint == nullptr || cluster.Pick(later) == endpoint) break;
  }
  session_begun_ = endpoint != nullptr;
  return endpoint;
}

// Opaque to everybody; of the form that ingress-nginx gives it.
std::string_view Exchange::NewSessionKey() {
  const timespec now = services_.loop().wall_now();
  const uint64_t random = services_.ids().Random();
  return downstream_->arena().Copy(StrCat(now.tv_sec, ".", now.tv_nsec / 1'000'000, ".", random));
}

void Exchange::AddSessionCookie() {
  const upstream::Cluster* cluster = services_.clusters().Find(cluster_slot_);
  if (cluster == nullptr || cluster->compiled().session_keys == nullptr) return;
  const SessionCookieInput input{.cookie = *route_->session_cookie,
                                 .key = session_key_,
                                 .upstream_key = cluster->compiled().session_keys->upstream_key(),
                                 .over_tls = client_.scheme == "https",
                                 .user_agent = record_.user_agent,
                                 .now = services_.loop().wall_now().tv_sec};
  response_head_.fields.Add(FieldId::kOther, "Set-Cookie",
                            MakeSessionCookie(input, downstream_->arena()));
}

// ---- another attempt
// --------------------------------------------------------------------------------------------

config::RetryPolicy Exchange::retry_policy() const {
  const config::RetryPolicy& general = config_->settings->retries;
  return route_ == nullptr || route_->retries == nullptr ? general : route_->retries->Over(general);
}

RetryState Exchange::retry_state() const {
  return {.method = request_->method,
          .body_repeatable = request_body_.repeatable(),
          .reused = attempt_reused_,
          .attempts = attempts_,
          .since_first = std::chrono::duration_cast<std::chrono::milliseconds>(
              services_.loop().now() - first_attempt_started_)};
}

bool Exchange::TakeFromRetryBudget() {
  upstream::Cluster* cluster = services_.clusters().Find(cluster_slot_);
  if (cluster == nullptr) return false;
  const uint32_t percent = cluster->compiled().retry_budget_percent;
  const bool within = cluster->retry_budget().Take(percent, services_.loop().now());
  counters()[within ? CounterId::kUpstreamRetries : CounterId::kUpstreamRetriesOverBudget].Add();
  return within;
}

void Exchange::HandleAttemptFailure(const Failure& failure) {
  if (endpoint_ != nullptr && !attempt_reused_ && tried_count_ < tried_.size()) {
    tried_[tried_count_++] = endpoint_->id;
  }
  if (endpoint_ != nullptr) {
    record_.attempt_storage[record_.attempt_count - 1].failed_as = StatusFor(failure);
  }
  const RetryState state = retry_state();
  const bool recorded = record_.attempt_count < observe::RequestRecord::kMaxAttempts;
  if (phase_ == Phase::kForwarding && endpoint_ != nullptr && recorded &&
      MayRetry(retry_policy(), state, failure) &&
      (WasStale(state, failure) || TakeFromRetryBudget())) {
    failure_ = failure;
    Advance(Event::kAttemptRetry);
    return OpenAttempt();
  }
  Fail(failure);
}

bool Exchange::MayRetryAfter(uint16_t status) {
  if (status < 400 || endpoint_ == nullptr || error_page_) return false;
  return MayRetry(retry_policy(), retry_state(), status) && TakeFromRetryBudget();
}

// Drops the response whose head has come, before the client has seen anything of it.
void Exchange::RetryAfterResponse(bool end) {
  if (tried_count_ < tried_.size()) tried_[tried_count_++] = endpoint_->id;
  if (!end || !request_body_.sent()) upstream_->Reset();
  DetachUpstream({});
  attempt_reused_ = false;  // the connection was in order
  Advance(Event::kAttemptRetry);
  OpenAttempt();
}

}  // namespace headgate::proxy
