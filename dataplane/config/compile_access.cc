#include "dataplane/config/compile_access.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "dataplane/config/compile_patterns.h"
#include "dataplane/config/compile_template.h"
#include "dataplane/config/compile_values.h"
#include "dataplane/config/user_tables.h"
#include "dataplane/policy/blocked.h"

namespace headgate::config {
namespace {

absl::StatusOr<std::unique_ptr<const policy::PasswordAuth>> CompilePassword(
    const std::string& field, const v1::PasswordAuth& in) {
  const bool digest = in.scheme() == v1::PasswordAuth::DIGEST;
  if (in.scheme() != v1::PasswordAuth::BASIC && !digest)
    return FieldError(StrCat(field, ".scheme"), "unknown scheme");
  if (!IsUserTable(in.secret()))
    return FieldError(StrCat(field, ".secret"), "is not the name of users");
  HEADGATE_RETURN_IF_ERROR(CheckPrintable(StrCat(field, ".realm"), in.realm()));
  if (in.realm().find_first_of("\"\\") != std::string::npos) {
    return FieldError(StrCat(field, ".realm"), "holds a quotation mark or a backslash");
  }
  auto out = std::make_unique<policy::PasswordAuth>();
  out->users = in.secret();
  out->realm = in.realm();
  out->digest = digest;
  if (!digest) out->challenge = StrCat("Basic realm=\"", in.realm(), "\"");
  return out;
}

absl::StatusOr<std::unique_ptr<const policy::RateLimits>> CompileLimits(const std::string& field,
                                                                        const v1::RateLimits& in) {
  constexpr uint32_t kMostRequests = 1'000'000;  // keeps the arithmetic within 64 bits
  if (in.zone().empty()) return FieldError(StrCat(field, ".zone"), "is empty");
  const struct {
    const char* name;
    uint32_t value;
  } rows[] = {{".requests_per_second", in.requests_per_second()},
              {".requests_per_minute", in.requests_per_minute()},
              {".connections", in.connections()}};
  for (const auto& row : rows) {
    HEADGATE_RETURN_IF_ERROR(CheckRange(StrCat(field, row.name), row.value, 0, kMostRequests));
  }
  auto out = std::make_unique<policy::RateLimits>();
  out->zone = in.zone();
  out->second = policy::RateLimits::PerSecond(in.requests_per_second(), in.second_burst());
  out->minute = policy::RateLimits::PerMinute(in.requests_per_minute(), in.minute_burst());
  out->connections = in.connections();
  out->shared = in.shared();
  HEADGATE_ASSIGN_OR_RETURN(out->exempt,
                            CompileAddresses(StrCat(field, ".exempt_cidrs"), in.exempt_cidrs()));
  return out;
}

// With the parameter that leads back, unless it has one already.
absl::StatusOr<policy::TextTemplate> CompileSignin(const std::string& field,
                                                   const v1::ExternalAuth& in) {
  policy::TextTemplate out;
  HEADGATE_ASSIGN_OR_RETURN(out, CompileTemplate(StrCat(field, ".signin"), in.signin()));
  std::string literal;
  for (const policy::TextTemplate::Part& part : out.parts) {
    if (part.variable == policy::Variable::kNone) literal += part.text;
  }
  const std::string parameter = in.signin_parameter().empty() ? "rd" : in.signin_parameter();
  HEADGATE_RETURN_IF_ERROR(CheckPrintable(StrCat(field, ".signin_parameter"), parameter));
  const bool has_query = literal.find('?') != std::string::npos;
  for (const char* before : {"?", "&"}) {
    if (literal.find(StrCat(before, parameter, "=")) != std::string::npos) return out;
  }
  out.parts.push_back({policy::Variable::kNone, StrCat(has_query ? "&" : "?", parameter, "=")});
  out.parts.push_back({policy::Variable::kScheme, ""});
  out.parts.push_back({policy::Variable::kNone, "://"});
  out.parts.push_back({policy::Variable::kHttpHost, ""});
  out.parts.push_back({policy::Variable::kEscapedRequestUri, ""});
  return out;
}

absl::StatusOr<std::unique_ptr<const ExternalAuth>> CompileExternal(const std::string& field,
                                                                    const v1::ExternalAuth& in,
                                                                    ClusterRegistry& clusters) {
  auto out = std::make_unique<ExternalAuth>();
  HEADGATE_RETURN_IF_ERROR(CheckReference(StrCat(field, ".cluster"), in.cluster(), "cluster/"));
  if (in.host().empty()) return FieldError(StrCat(field, ".host"), "is empty");
  HEADGATE_RETURN_IF_ERROR(CheckPrintable(StrCat(field, ".host"), in.host()));
  out->host = in.host();
  HEADGATE_ASSIGN_OR_RETURN(out->target, CompileTemplate(StrCat(field, ".target"), in.target()));
  if (!in.method().empty())
    HEADGATE_RETURN_IF_ERROR(CheckToken(StrCat(field, ".method"), in.method()));
  out->method = in.method();
  if (in.has_signin()) {
    HEADGATE_ASSIGN_OR_RETURN(out->signin, CompileSignin(field, in));
  }
  for (int i = 0; i < in.response_fields_size(); ++i) {
    HEADGATE_RETURN_IF_ERROR(
        CheckToken(StrCat(field, ".response_fields[", i, "]"), in.response_fields(i)));
    out->response_fields.push_back(in.response_fields(i));
  }
  for (int i = 0; i < in.request_edits_size(); ++i) {
    const std::string edit = StrCat(field, ".request_edits[", i, "]");
    HEADGATE_RETURN_IF_ERROR(CheckToken(StrCat(edit, ".name"), in.request_edits(i).name()));
    FieldTemplate& added = out->request_fields.emplace_back();
    added.name = in.request_edits(i).name();
    HEADGATE_ASSIGN_OR_RETURN(added.value,
                              CompileTemplate(StrCat(edit, ".value"), in.request_edits(i).value()));
  }
  if (in.has_request_redirect()) {
    HEADGATE_ASSIGN_OR_RETURN(
        out->request_redirect,
        CompileTemplate(StrCat(field, ".request_redirect"), in.request_redirect()));
  }
  out->always_set_cookie = in.always_set_cookie();
  out->own_request_id = in.own_request_id();
  HEADGATE_ASSIGN_OR_RETURN(out->cache_key,
                            CompileTemplate(StrCat(field, ".cache_key"), in.cache_key()));
  for (int i = 0; i < in.cached_size(); ++i) {
    const std::string cached = StrCat(field, ".cached[", i, "]");
    CachedStatus& added = out->cached.emplace_back();
    for (const uint32_t status : in.cached(i).statuses()) {
      HEADGATE_RETURN_IF_ERROR(CheckRange(StrCat(cached, ".statuses"), status, 200, 599));
      added.statuses.push_back(static_cast<uint16_t>(status));
    }
    HEADGATE_ASSIGN_OR_RETURN(added.duration,
                              CompileDuration(StrCat(cached, ".duration"), in.cached(i).duration(),
                                              ZeroDuration::kAllowed));
  }
  out->cluster = clusters.Acquire(in.cluster());
  return out;
}

absl::StatusOr<std::shared_ptr<CompiledAccess>> Compile(const std::string& field,
                                                        const v1::AccessPolicy& in,
                                                        ClusterRegistry& clusters) {
  auto out = std::make_shared<CompiledAccess>();
  HEADGATE_ASSIGN_OR_RETURN(out->sources.denied,
                            CompileAddresses(StrCat(field, ".denied_cidrs"), in.denied_cidrs()));
  HEADGATE_ASSIGN_OR_RETURN(out->sources.allowed,
                            CompileAddresses(StrCat(field, ".allowed_cidrs"), in.allowed_cidrs()));
  if (in.has_limits()) {
    HEADGATE_ASSIGN_OR_RETURN(out->limits, CompileLimits(StrCat(field, ".limits"), in.limits()));
  }
  if (in.has_external()) {
    HEADGATE_ASSIGN_OR_RETURN(out->external,
                              CompileExternal(StrCat(field, ".external"), in.external(), clusters));
  }
  if (in.has_password()) {
    HEADGATE_ASSIGN_OR_RETURN(out->password,
                              CompilePassword(StrCat(field, ".password"), in.password()));
  }
  if (in.satisfy_any()) out->satisfy = policy::Satisfy::kAny;
  return out;
}

absl::StatusOr<std::shared_ptr<const policy::Blocked>> CompileBlocked(const std::string& field,
                                                                      const v1::Blocked& in) {
  auto out = std::make_shared<policy::Blocked>();
  HEADGATE_ASSIGN_OR_RETURN(out->clients, CompileAddresses(StrCat(field, ".cidrs"), in.cidrs()));
  HEADGATE_ASSIGN_OR_RETURN(out->user_agents,
                            CompilePatterns(StrCat(field, ".user_agents"), in.user_agents()));
  HEADGATE_ASSIGN_OR_RETURN(out->referers,
                            CompilePatterns(StrCat(field, ".referers"), in.referers()));
  return out;
}

}  // namespace

absl::Status CompileAccessSettings(const v1::Settings& in, CompiledSettings& out) {
  const struct {
    const char* name;
    uint32_t value;
    uint16_t& target;
  } rows[] = {
      {"limit_request_status", in.limit_request_status(), out.limit_request_status},
      {"limit_connection_status", in.limit_connection_status(), out.limit_connection_status}};
  for (const auto& row : rows) {
    if (row.value == 0) continue;
    HEADGATE_RETURN_IF_ERROR(CheckRange(row.name, row.value, 400, 599));
    row.target = static_cast<uint16_t>(row.value);
  }
  if (in.has_limit_key()) {
    policy::TextTemplate key;
    HEADGATE_ASSIGN_OR_RETURN(key, CompileTemplate("limit_key", in.limit_key()));
    out.limit_key = std::make_shared<const policy::TextTemplate>(std::move(key));
  }
  if (in.has_blocked()) {
    HEADGATE_ASSIGN_OR_RETURN(out.blocked, CompileBlocked("blocked", in.blocked()));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const CompiledAccess>> AccessPool::Get(const std::string& field,
                                                                      const v1::RoutePolicy& in,
                                                                      ClusterRegistry& clusters) {
  const v1::ResponseRate& rate = in.response_rate();
  if (!in.has_access() && rate.bytes_per_second() == 0)
    return std::shared_ptr<const CompiledAccess>();
  // Without maps, equal messages give equal bytes.
  std::string key = StrCat(rate.bytes_per_second(), ":", rate.after_bytes(), ":",
                           in.access().SerializeAsString());
  if (const auto held = policies_.find(key); held != policies_.end()) {
    if (auto policy = held->second.lock()) return policy;
  }
  std::shared_ptr<CompiledAccess> made;
  HEADGATE_ASSIGN_OR_RETURN(made, Compile(StrCat(field, ".access"), in.access(), clusters));
  if (rate.bytes_per_second() != 0) {
    constexpr uint64_t kMost = uint64_t{1} << 40;  // keeps the arithmetic within 64 bits
    HEADGATE_RETURN_IF_ERROR(CheckRange(StrCat(field, ".response_rate.bytes_per_second"),
                                        rate.bytes_per_second(), 1, kMost));
    HEADGATE_RETURN_IF_ERROR(
        CheckRange(StrCat(field, ".response_rate.after_bytes"), rate.after_bytes(), 0, kMost));
    made->rate = ResponseRate{rate.bytes_per_second(), rate.after_bytes()};
  }
  if (policies_.size() >= sweep_at_) {
    absl::erase_if(policies_, [](const auto& entry) { return entry.second.expired(); });
    sweep_at_ = std::max<size_t>(64, policies_.size() * 2);
  }
  policies_[std::move(key)] = made;
  return std::shared_ptr<const CompiledAccess>(std::move(made));
}

}  // namespace headgate::config
