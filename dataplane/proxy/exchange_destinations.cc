// Which cluster a request goes to: its route's, that of a canary, or the one that makes the bodies
// of failures.
#include <algorithm>
#include <array>
#include <cstdint>
#include <variant>

#include "dataplane/http/chars.h"
#include "dataplane/proxy/exchange.h"
#include "dataplane/proxy/session.h"

namespace headgate::proxy {
namespace {

using base::Failure;
using http::FieldId;

// Three digits that live as long as `arena`.
std::string_view StatusText(uint16_t status, base::Arena& arena) {
  const std::array<char, 3> digits = {static_cast<char>('0' + status / 100 % 10),
                                      static_cast<char>('0' + status / 10 % 10),
                                      static_cast<char>('0' + status % 10)};
  return arena.Copy({digits.data(), digits.size()});
}

// Whether the session that a request's cookie names began at the cluster.
bool IsSessionOf(const upstream::Cluster& cluster, std::string_view cookie) {
  const config::SessionKeys* keys = cluster.compiled().session_keys.get();
  return keys != nullptr && !SessionKeyIn(cookie, keys->upstream_key()).empty();
}

}  // namespace

upstream::Cluster* Exchange::FindServing(config::ClusterSlot slot) const {
  upstream::Cluster* cluster = services_.clusters().Find(slot);
  return cluster == nullptr || cluster->endpoints().empty() ? nullptr : cluster;
}

// False: there is none. A route that answers by itself needs none.
bool Exchange::ChooseCluster() {
  const auto* forward = std::get_if<config::ForwardAction>(&route_->action);
  if (forward == nullptr) return true;
  if (forward->targets.empty()) return false;
  const config::WeightedTarget* chosen = &forward->targets.front();
  if (forward->targets.size() > 1) {
    const auto ticket = static_cast<uint32_t>(services_.ids().Random() % forward->total_weight());
    chosen = &*std::find_if(forward->targets.begin(), forward->targets.end() - 1,
                            [&](const config::WeightedTarget& t) { return ticket < t.weight_end; });
  }
  cluster_slot_ = (downstream_->connection().tls ? chosen->tls_cluster : chosen->cluster).slot();
  const config::RouteExtras* rules = extras();
  if (rules == nullptr) return true;
  if (rules->canary) ChooseSide(*rules->canary);
  if (rules->errors && rules->errors->serves_empty) ReplaceEmptyCluster(*rules->errors);
  return true;
}

void Exchange::ChooseSide(const config::CanaryRoute& canary) {
  const config::ClusterSlot slot =
      (downstream_->connection().tls ? canary.tls_cluster : canary.cluster).slot();
  const upstream::Cluster* main = FindServing(cluster_slot_);
  const upstream::Cluster* other = FindServing(slot);
  if (main == nullptr || other == nullptr) return;
  if (route_->session_cookie != nullptr && !canary.sessions_decided_anew) {
    const std::string_view cookie = FindCookie(request_->fields, route_->session_cookie->name);
    if (IsSessionOf(*main, cookie)) return;
    if (IsSessionOf(*other, cookie)) return UseCanary(*main, *other, slot);
  }
  const std::string_view cookie = canary.rules.cookie.empty()
                                      ? std::string_view()
                                      : FindCookie(request_->fields, canary.rules.cookie);
  if (policy::BelongsToCanary(canary.rules, request_->fields, cookie, services_.ids().Random())) {
    UseCanary(*main, *other, slot);
  }
}

void Exchange::UseCanary(const upstream::Cluster& main, const upstream::Cluster& canary,
                         config::ClusterSlot slot) {
  base::Arena& arena = downstream_->arena();
  record_.upstream_name = arena.Copy(main.log_name());
  record_.alternative_upstream_name = arena.Copy(canary.log_name());
  cluster_slot_ = slot;
}

// ---- copies
// -----------------------------------------------------------------------------------------------------

// The client's own request, before anything is made of it.
void Exchange::BeginMirror() {
  const config::RouteExtras* rules = extras();
  if (rules == nullptr || !rules->mirror || !request_->upgrade.empty() ||
      request_body_.received() > 0)
    return;
  const config::MirrorRoute& mirror = *rules->mirror;
  base::Arena& arena = downstream_->arena();
  std::string_view target = policy::Expand(mirror.target, variables(), arena);
  if (!http::IsTargetText(target)) return;
  if (!target.starts_with('/')) target = arena.Join("/", target);
  http::RequestHead& copy = upstream_head_;  // not in use yet
  copy = *request_;
  copy.target = target;
  copy.authority = mirror.host;
  copy.expect_continue = false;
  copy.fields.Remove(FieldId::kProxy);
  const bool end = mirror.without_body || request_body_.complete();
  if (mirror.without_body) copy.body = http::BodyLength::None();
  mirror_ = services_.mirrors().Begin(mirror.cluster.slot(), copy, end, attempt_timeouts());
  if (end) mirror_ = Mirrors::kNone;
}

// ---- failures
// ---------------------------------------------------------------------------------------------------

void Exchange::ReplaceEmptyCluster(const config::ErrorBackend& errors) {
  if (FindServing(cluster_slot_) != nullptr || !errors.cluster.valid() ||
      FindServing(errors.cluster.slot()) == nullptr) {
    return;
  }
  cluster_slot_ = errors.cluster.slot();
  replaced_status_ = 503;
}

// Whether a failure of that status gets its body from the error backend.
bool Exchange::HasErrorPage(uint16_t status, FailureOf whose) const {
  const config::RouteExtras* rules = extras();
  if (rules == nullptr || !rules->errors || error_page_ || from_grpc()) return false;
  const config::ErrorBackend& errors = *rules->errors;
  if (!errors.Replaces(status) || (whose == FailureOf::kEndpoint && errors.local_only))
    return false;
  if (phase_ != Phase::kNew && phase_ != Phase::kAsking && phase_ != Phase::kHoldingRequest &&
      phase_ != Phase::kForwarding)
    return false;
  return record_.attempt_count < observe::RequestRecord::kMaxAttempts &&
         ErrorCluster(errors).has_value();
}

std::optional<config::ClusterSlot> Exchange::ErrorCluster(
    const config::ErrorBackend& errors) const {
  for (const config::ClusterHandle& cluster : {errors.cluster, config_->default_backend}) {
    if (cluster.valid() && FindServing(cluster.slot()) != nullptr) return cluster.slot();
  }
  return std::nullopt;
}

// Another attempt, on another cluster, with another request. REQUIRES: HasErrorPage, and no attempt
// is under way.
void Exchange::AskForErrorPage(uint16_t status) {
  replaced_status_ = status;
  error_page_ = true;
  cluster_slot_ = *ErrorCluster(*extras()->errors);
  request_body_.Discard();
  attempts_ = 0;
  tried_count_ = 0;
  attempt_reused_ = false;
  session_begun_ = false;
  first_attempt_started_ = services_.loop().now();
  Advance(phase_ == Phase::kForwarding ? Event::kAttemptRetry : Event::kForward);
  OpenAttempt();
}

// Drops the response whose head has come, before the client has seen anything of it.
void Exchange::ReplaceResponse(uint16_t status, bool end) {
  if (!end || !request_body_.sent()) upstream_->Reset();
  DetachUpstream({});
  AskForErrorPage(status);
}

// What the backend is told about the failure whose body it makes, or about the cluster whose place
// it takes.
void Exchange::AddErrorFields() {
  base::Arena& arena = downstream_->arena();
  http::HeaderMap& fields = upstream_head_.fields;
  const auto set = [&](std::string_view name, std::string_view value) {
    fields.RemoveAlike(name);
    fields.Add(FieldId::kOther, name, value);
  };
  set("X-Code", StatusText(replaced_status_, arena));
  if (const std::string_view format = request_->fields.Get("Accept"); !format.empty())
    set("X-Format", format);
  set("X-Namespace", route_->origin.ns);
  set("X-Ingress-Name", route_->origin.ingress);
  set("X-Service-Name", route_->origin.service);
  set("X-Service-Port", route_->origin.service_port);
  if (!error_page_) return;
  set("X-Original-URI", request_->target);
  const std::string_view query = request_->target.substr(request_->path().size());
  upstream_head_.target = query.empty() ? std::string_view("/") : arena.Join("/", query);
  upstream_head_.upgrade = {};
}

}  // namespace headgate::proxy
