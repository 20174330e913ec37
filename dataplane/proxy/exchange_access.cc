// What a request must pass before its route is followed; docs/access.md.
#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "dataplane/config/access.h"
#include "dataplane/http/chars.h"
#include "dataplane/policy/basic_auth.h"
#include "dataplane/policy/blocked.h"
#include "dataplane/policy/digest_auth.h"
#include "dataplane/proxy/auth_head.h"
#include "dataplane/proxy/exchange.h"

namespace headgate::proxy {
namespace {

using http::FieldId;
using policy::Answer;
using policy::Conditions;

constexpr std::string_view kChallenge = "WWW-Authenticate";
constexpr std::string_view kSetCookie = "Set-Cookie";

// As NGINX's add_header, without "always".
constexpr bool TakesAddedFields(uint16_t status) {
  constexpr std::array<uint16_t, 10> kStatuses = {200, 201, 204, 206, 301, 302, 303, 304, 307, 308};
  for (const uint16_t each : kStatuses) {
    if (status == each) return true;
  }
  return false;
}

bool IsNamed(const http::Field& field, std::string_view name) {
  return http::EqualsIgnoreCase(field.name, name);
}

}  // namespace

// ---- whatever the request asks for
// ------------------------------------------------------------------------------

bool Exchange::ReplyBlocked() {
  const policy::Blocked* blocked = config_->settings->blocked.get();
  if (blocked == nullptr) return false;
  const base::Address address = AddressOf(client_, downstream_->connection());
  if (!blocked->Blocks(address, record_.user_agent, record_.referer)) return false;
  Reply(403);
  return true;
}

// ---- the route's policy
// -----------------------------------------------------------------------------------------

// What is to protect the route is not there: it is closed.
bool Exchange::ReplyUnprotected() {
  const auto& password = route_->access->password;
  if (password == nullptr || config_->users->find(password->users) != config_->users->end())
    return false;
  route_ = nullptr;  // nothing else that it says holds for this answer: not CORS, and no page of
                     // another cluster
  Reply(503);
  return true;
}

// False when the request has been answered, or waits for what somebody else says of it.
bool Exchange::CheckAccess() {
  const config::CompiledAccess& access = *route_->access;
  if (!HasEndpoints()) {
    Reply(503);
    return false;
  }
  const base::Address address = AddressOf(client_, downstream_->connection());
  if (access.limits != nullptr && !CountAgainstLimits(*access.limits, address)) return false;
  Conditions conditions(access.satisfy);
  if (conditions.Add(access.sources.Judge(address))) return Conclude(conditions);
  return AskForPassword(conditions);
}

// Where none is left, that is what everybody hears: who may come in does not matter then.
bool Exchange::HasEndpoints() {
  return !std::holds_alternative<config::ForwardAction>(route_->action) ||
         FindServing(cluster_slot_) != nullptr;
}

bool Exchange::CountAgainstLimits(const policy::RateLimits& limits, const base::Address& address) {
  if (limits.exempt.Contains(address)) return true;
  const config::CompiledSettings& settings = *config_->settings;
  std::string_view client = address.bytes();
  if (settings.limit_key != nullptr) {
    client = policy::Expand(*settings.limit_key, variables(), downstream_->arena());
    if (client.empty()) return true;
  }
  LimitTable& table = services_.limits();
  const policy::LimitKey key = table.KeyOf(limits.zone, client);
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
      services_.loop().now().time_since_epoch());
  const bool counts_requests = limits.second.per_second != 0 || limits.minute.per_second != 0;
  if (counts_requests && !table.AdmitRequest(limits, key, now.count())) {
    Reply(settings.limit_request_status);
    return false;
  }
  if (limits.connections == 0) return true;
  ConnectionPermit permit = table.AdmitConnection(limits, key);
  if (!permit.valid()) {
    Reply(settings.limit_connection_status);
    return false;
  }
  access_check().permit = std::move(permit);
  return true;
}

bool Exchange::AskForPassword(Conditions conditions) {
  const policy::PasswordAuth* password = route_->access->password.get();
  if (password == nullptr) return AskServer(conditions);
  const policy::UserTable& users = *config_->users->at(password->users);
  AccessCheck& check = access_check();
  check.conditions = conditions;
  if (password->digest) return CheckDigest(*password, users);
  using Verdict = PasswordDesk::Verdict;
  switch (services_.passwords().Check(users, request_->fields.Get(FieldId::kAuthorization), *this,
                                      check.password)) {
    case Verdict::kMatches: return TakePassword(true);
    case Verdict::kDoesNot: return TakePassword(false);
    case Verdict::kLater: BeginAsking(); return false;
    case Verdict::kBusy: break;
  }
  Reply(503);
  return false;
}

bool Exchange::CheckDigest(const policy::PasswordAuth& password, const policy::UserTable& users) {
  const int64_t now = services_.loop().wall_now().tv_sec;
  policy::NonceUse use;
  const policy::DigestVerdict verdict =
      policy::CheckDigest(users, password.realm, request_->fields.Get(FieldId::kAuthorization),
                          request_->method_text, request_->target, now, use);
  const bool matches = verdict == policy::DigestVerdict::kMatches;
  if (matches && services_.nonces().Use(use, now)) return TakePassword(true);
  // Who knows the password need not be asked for it again.
  const bool stale = matches || verdict == policy::DigestVerdict::kStale;
  access_->challenge = downstream_->arena().Copy(
      policy::DigestChallenge(users, password.realm, stale, now, services_.ids().Random()));
  return TakePassword(false);
}

void Exchange::OnPasswordChecked(bool matches) {
  EndAsking();
  if (TakePassword(matches)) FollowRoute();
}

bool Exchange::TakePassword(bool matches) {
  Conditions& conditions = access_->conditions;
  const policy::PasswordAuth& password = *route_->access->password;
  if (!matches && !password.digest) access_->challenge = password.challenge;
  if (conditions.Add(matches ? Answer::kPass : Answer::kUnauthorized)) return Conclude(conditions);
  return AskServer(conditions);
}

bool Exchange::AskServer(Conditions conditions) {
  const config::ExternalAuth* external = route_->access->external.get();
  if (external == nullptr) return Conclude(conditions);
  AccessCheck& check = access_check();
  check.conditions = conditions;
  uint16_t status = 0;
  if (!external->cache_key.empty() && RecallAnswer(*external, status)) return TakeAnswer(status);
  AuthRequestOwner& owner = *this;
  check.request = std::make_unique<AuthRequest>(owner, services_.clusters(), services_.loop(),
                                                external->cluster.slot(), attempt_timeouts(),
                                                downstream_->arena());
  RequestVariables asked = variables();
  const bool brought_id = !request_->fields.Get(FieldId::kXRequestId).empty();
  if (external->own_request_id && !brought_id && !asked.request_id.empty()) {
    asked.request_id = services_.ids().Next(downstream_->arena());
  }
  if (!BuildAuthHead(*external, asked, downstream_->arena(), check.request->head())) {
    Reply(500);
    return false;
  }
  BeginAsking();
  check.request->Start();
  return false;
}

void Exchange::OnAuthAnswered(const AuthRequest& request) {
  EndAsking();
  const http::ResponseHead* answer = request.answer();
  const uint16_t status = answer == nullptr ? uint16_t{0} : answer->status;
  if (answer != nullptr) access_->answer = answer->fields;
  if (!access_->cache_key.empty()) KeepAnswer(status);
  if (TakeAnswer(status)) FollowRoute();
}

// An answer is for this route and host alone, whatever the key says.
bool Exchange::RecallAnswer(const config::ExternalAuth& external, uint16_t& status) {
  base::Arena& arena = downstream_->arena();
  const std::string_view key = policy::Expand(external.cache_key, variables(), arena);
  if (key.empty()) return false;
  access_->cache_key =
      AuthCache::KeyOf(route_->host, arena.Join(route_->origin.ns, "/", route_->origin.ingress),
                       route_->origin.path, key);
  const AuthCache::Answer* kept =
      services_.auth_cache().Find(access_->cache_key, services_.loop().now());
  if (kept == nullptr) return false;
  status = kept->status;
  for (const auto& [name, value] : kept->fields)
    access_->answer.Add(arena.Copy(name), arena.Copy(value));
  return true;
}

void Exchange::KeepAnswer(uint16_t status) {
  const config::ExternalAuth& external = *route_->access->external;
  const auto said = external.KeepTimeOf(status);
  if (said.count() == 0) return;
  const auto duration = KeepTime(access_->answer, said);
  if (!duration) return;
  AuthCache::Answer answer{.status = status, .fields = {}};
  for (const http::Field& field : access_->answer) {
    const auto& names = external.response_fields;
    const bool wanted = IsNamed(field, kChallenge) ||
                        std::any_of(names.begin(), names.end(),
                                    [&](const std::string& name) { return IsNamed(field, name); });
    if (wanted) answer.fields.emplace_back(field.name, field.value);
  }
  services_.auth_cache().Keep(access_->cache_key, std::move(answer), *duration,
                              services_.loop().now());
}

bool Exchange::TakeAnswer(uint16_t status) {
  access_->told_to_sign_in = status == 401;
  const bool passes = status >= 200 && status < 300;
  if (!passes && status != 401 && status != 403) {  // never open
    Reply(500);
    return false;
  }
  Conditions& conditions = access_->conditions;
  conditions.Add(passes          ? Answer::kPass
                 : status == 401 ? Answer::kUnauthorized
                                 : Answer::kForbidden);
  return Conclude(conditions);
}

bool Exchange::Conclude(const Conditions& conditions) {
  switch (conditions.result()) {
    case Answer::kForbidden: Reply(403); return false;
    case Answer::kUnauthorized: ReplyUnauthorized(); return false;
    default: return true;
  }
}

void Exchange::ReplyUnauthorized() {
  const config::ExternalAuth* external = route_->access->external.get();
  if (external == nullptr || !external->signin || !access_->told_to_sign_in) return Reply(401);
  const std::string_view location =
      policy::Expand(*external->signin, variables(), downstream_->arena());
  if (!http::IsFieldText(location)) return Reply(500);  // variables may hold any byte
  Reply(302, location.starts_with('/') ? AbsoluteUrl(location) : location);
}

AccessCheck& Exchange::access_check() {
  if (access_ == nullptr) access_ = std::make_unique<AccessCheck>();
  return *access_;
}

// ---- waiting, with the request's body held back
// -----------------------------------------------------------------

void Exchange::BeginAsking() {
  Advance(Event::kAsk);
  holding_request_ = true;
  downstream_->PauseReading();
}

void Exchange::EndAsking() {
  holding_request_ = false;
  downstream_->ResumeReading();
}

// Null: the response goes as fast as the client takes it.
ResponsePace* Exchange::StartPace() {
  if (route_ == nullptr || route_->access == nullptr || !route_->access->rate) return nullptr;
  net::TimerHandler& handler = *this;
  access_check().pace =
      std::make_unique<ResponsePace>(services_.loop(), handler, *route_->access->rate);
  return access_->pace.get();
}

// ---- what follows for messages
// ----------------------------------------------------------------------------------

// What a client cannot vouch for by itself does not reach the upstream in its words.
void Exchange::EditForUpstream(const config::CompiledAccess& access) {
  http::HeaderMap& fields = upstream_head_.fields;
  if (access.password != nullptr) fields.Remove(FieldId::kAuthorization);
  if (access.external == nullptr) return;
  for (const std::string& name : access.external->response_fields) {
    fields.RemoveAlike(name);
    if (access_ == nullptr) continue;
    std::string_view value;
    for (const http::Field& field : access_->answer) {
      if (!IsNamed(field, name) || field.value.empty()) continue;
      value = value.empty() ? field.value : downstream_->arena().Join(value, ", ", field.value);
    }
    if (!value.empty()) fields.Add(name, value);
  }
}

void Exchange::AddAccessFields() {
  http::HeaderMap& fields = response_head_.fields;
  const bool ours = phase_ == Phase::kReplying || error_page_;
  const bool unauthorized = ours && response_head_.status == 401;
  if (unauthorized && !access_->challenge.empty()) fields.Add(kChallenge, access_->challenge);
  const config::ExternalAuth* external = route_->access->external.get();
  if (external == nullptr) return;
  const bool cookies = external->always_set_cookie || TakesAddedFields(response_head_.status);
  for (const http::Field& field : access_->answer) {
    if (cookies && IsNamed(field, kSetCookie)) fields.Add(kSetCookie, field.value);
    if (unauthorized && IsNamed(field, kChallenge)) fields.Add(kChallenge, field.value);
  }
}

}  // namespace headgate::proxy
