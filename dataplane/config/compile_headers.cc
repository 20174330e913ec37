#include "dataplane/config/compile_headers.h"

#include <cstdint>
#include <utility>

#include "common/strings.h"
#include "dataplane/config/compile_template.h"
#include "dataplane/config/compile_tracing.h"
#include "dataplane/config/compile_values.h"

namespace headgate::config {
namespace {

using policy::HeaderEdit;
using policy::HeaderEdits;
using policy::HeaderPolicy;

// What codecs decide: where a message ends, and what is said of a connection. Host has a field of
// its own.
bool IsOfCodecs(http::FieldId id) {
  return http::IsHopByHop(id) || id == http::FieldId::kContentLength ||
         id == http::FieldId::kTrailer || id == http::FieldId::kHost ||
         id == http::FieldId::kExpect;
}

absl::Status CheckFieldName(const std::string& field, const std::string& name) {
  HEADGATE_RETURN_IF_ERROR(CheckToken(field, name));
  if (IsOfCodecs(http::ClassifyFieldName(name)))
    return FieldError(field, "is not for anybody else to set");
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const Regex>> CompileSearch(const std::string& field,
                                                           const std::string& pattern,
                                                           Regex::Case letters) {
  std::string error;
  auto regex = Regex::Compile(pattern, Regex::Anchor::kNone, letters, &error);
  if (regex == nullptr) return FieldError(field, error);
  return regex;
}

absl::StatusOr<policy::RequestConditions> CompileConditions(
    const std::string& field, const google::protobuf::RepeatedPtrField<v1::Condition>& in) {
  policy::RequestConditions out;
  for (int i = 0; i < in.size(); ++i) {
    const std::string name = StrCat(field, "[", i, "]");
    policy::RequestCondition& condition = out.emplace_back();
    HEADGATE_ASSIGN_OR_RETURN(condition.subject,
                              CompileTemplate(name + ".subject", in[i].subject()));
    condition.negated = in[i].negated();
    switch (in[i].match_case()) {
      case v1::Condition::kExact: condition.exact = in[i].exact(); break;
      case v1::Condition::kRegex:
        HEADGATE_ASSIGN_OR_RETURN(condition.regex, CompileSearch(name + ".regex", in[i].regex(),
                                                                 Regex::Case::kSensitive));
        break;
      case v1::Condition::kIgnoreCaseRegex:
        HEADGATE_ASSIGN_OR_RETURN(
            condition.regex, CompileSearch(name + ".ignore_case_regex", in[i].ignore_case_regex(),
                                           Regex::Case::kIgnored));
        break;
      case v1::Condition::MATCH_NOT_SET: return FieldError(name, "says nothing to compare with");
    }
  }
  return out;
}

absl::StatusOr<policy::ConditionalReply> CompileReply(const std::string& field,
                                                      const v1::ConditionalReply& in) {
  policy::ConditionalReply out;
  HEADGATE_ASSIGN_OR_RETURN(out.when, CompileConditions(field + ".when", in.when()));
  HEADGATE_RETURN_IF_ERROR(CheckRange(field + ".status", in.status(), 200, 599));
  out.status = static_cast<uint16_t>(in.status());
  HEADGATE_ASSIGN_OR_RETURN(out.location, CompileTemplate(field + ".location", in.location()));
  if (!out.location.empty() && (in.status() < 300 || in.status() > 399)) {
    return FieldError(field + ".location", "is given with a status that is no redirect");
  }
  out.has_text = in.has_text();
  HEADGATE_ASSIGN_OR_RETURN(out.text, CompileTemplate(field + ".text", in.text()));
  HEADGATE_RETURN_IF_ERROR(CheckPrintable(field + ".content_type", in.content_type()));
  if (!in.content_type().empty()) out.content_type = in.content_type();
  return out;
}

absl::StatusOr<HeaderEdits> CompileEdits(
    const std::string& field, const google::protobuf::RepeatedPtrField<v1::HeaderEdit>& in) {
  HeaderEdits out;
  for (int i = 0; i < in.size(); ++i) {
    const std::string name = StrCat(field, "[", i, "]");
    HEADGATE_RETURN_IF_ERROR(CheckFieldName(name + ".name", in[i].name()));
    HeaderEdit& edit = out.emplace_back();
    edit.name = in[i].name();
    edit.id = http::ClassifyFieldName(edit.name);
    HEADGATE_ASSIGN_OR_RETURN(edit.value, CompileTemplate(name + ".value", in[i].value()));
    for (const auto& part : edit.value.parts) {
      HEADGATE_RETURN_IF_ERROR(CheckPrintable(name + ".value", part.text));
    }
    HEADGATE_ASSIGN_OR_RETURN(edit.when, CompileConditions(name + ".when", in[i].when()));
    for (const uint32_t status : in[i].statuses()) {
      HEADGATE_RETURN_IF_ERROR(CheckRange(name + ".statuses", status, 100, 599));
      edit.statuses.push_back(static_cast<uint16_t>(status));
    }
    edit.append = in[i].append();
  }
  return out;
}

absl::StatusOr<policy::CorsPolicy> CompileCors(const std::string& field, const v1::Cors& in) {
  policy::CorsPolicy out;
  if (in.origins().empty()) return FieldError(field + ".origins", "is empty");
  for (int i = 0; i < in.origins_size(); ++i) {
    const std::string& origin = in.origins(i);
    HEADGATE_RETURN_IF_ERROR(CheckPrintable(StrCat(field, ".origins[", i, "]"), origin));
    if (origin != "null" && origin != "*" && origin.find("://") == std::string::npos) {
      return FieldError(StrCat(field, ".origins[", i, "]"), "has no scheme");
    }
    if (origin == "*") out.any_origin = true;
    out.origins.push_back(origin);
  }
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) out.fields.emplace_back(StrCat("Access-Control-", name), value);
    return CheckPrintable(field, value);
  };
  if (in.allow_credentials()) HEADGATE_RETURN_IF_ERROR(add("Allow-Credentials", "true"));
  HEADGATE_RETURN_IF_ERROR(add("Allow-Methods", in.allow_methods()));
  HEADGATE_RETURN_IF_ERROR(add("Allow-Headers", in.allow_headers()));
  HEADGATE_RETURN_IF_ERROR(add("Expose-Headers", in.expose_headers()));
  HEADGATE_RETURN_IF_ERROR(add("Max-Age", StrCat(in.max_age())));
  return out;
}

absl::StatusOr<policy::ResponseRewrites> CompileRewrites(const std::string& field,
                                                         const v1::ResponseRewrites& in) {
  const std::pair<const char*, const std::string&> parts[] = {
      {".cookie_domain_from", in.cookie_domain_from()},
      {".cookie_domain_to", in.cookie_domain_to()},
      {".cookie_path_from", in.cookie_path_from()},
      {".cookie_path_to", in.cookie_path_to()},
      {".redirect_from", in.redirect_from()},
      {".redirect_to", in.redirect_to()}};
  for (const auto& [name, text] : parts)
    HEADGATE_RETURN_IF_ERROR(CheckPrintable(field + name, text));
  return policy::ResponseRewrites{.cookie_domain_from = in.cookie_domain_from(),
                                  .cookie_domain_to = in.cookie_domain_to(),
                                  .cookie_path_from = in.cookie_path_from(),
                                  .cookie_path_to = in.cookie_path_to(),
                                  .redirect_from = in.redirect_from(),
                                  .redirect_to = in.redirect_to()};
}

absl::StatusOr<CanaryRoute> CompileCanary(const std::string& field, const v1::Canary& in,
                                          ClusterRegistry& clusters) {
  CanaryRoute out;
  HEADGATE_RETURN_IF_ERROR(CheckReference(field + ".cluster", in.cluster(), "cluster/"));
  const std::string& tls = in.tls_cluster().empty() ? in.cluster() : in.tls_cluster();
  HEADGATE_RETURN_IF_ERROR(CheckReference(field + ".tls_cluster", tls, "cluster/"));
  policy::CanaryRules& rules = out.rules;
  if (!in.header().empty()) HEADGATE_RETURN_IF_ERROR(CheckToken(field + ".header", in.header()));
  rules.header = in.header();
  rules.header_value = in.header_value();
  rules.cookie = in.cookie();
  rules.weight = in.weight();
  if (in.weight_total() != 0) rules.weight_total = in.weight_total();
  if (!in.header_pattern().empty()) {
    std::string error;
    rules.header_pattern =
        Regex::Compile(in.header_pattern(), Regex::Anchor::kNone, Regex::Case::kSensitive, &error);
    rules.header_pattern_broken = rules.header_pattern == nullptr;
  }
  out.sessions_decided_anew = in.sessions_decided_anew();
  out.cluster = clusters.Acquire(in.cluster());
  out.tls_cluster = clusters.Acquire(tls);
  return out;
}

absl::StatusOr<ErrorBackend> CompileErrors(const std::string& field, const v1::ErrorBackend& in,
                                           ClusterRegistry& clusters) {
  ErrorBackend out;
  for (int i = 0; i < in.statuses_size(); ++i) {
    HEADGATE_RETURN_IF_ERROR(
        CheckRange(StrCat(field, ".statuses[", i, "]"), in.statuses(i), 300, 599));
    out.statuses.set(in.statuses(i));
  }
  out.local_only = in.local_only();
  out.serves_empty = in.serves_empty();
  if (in.cluster().empty()) return out;
  HEADGATE_RETURN_IF_ERROR(CheckReference(field + ".cluster", in.cluster(), "cluster/"));
  out.cluster = clusters.Acquire(in.cluster());
  return out;
}

absl::StatusOr<MirrorRoute> CompileMirror(const std::string& field, const v1::Mirror& in,
                                          ClusterRegistry& clusters) {
  MirrorRoute out;
  HEADGATE_RETURN_IF_ERROR(CheckReference(field + ".cluster", in.cluster(), "cluster/"));
  HEADGATE_ASSIGN_OR_RETURN(out.target, CompileTemplate(field + ".target", in.target()));
  HEADGATE_RETURN_IF_ERROR(CheckPrintable(field + ".host", in.host()));
  out.host = in.host();
  out.without_body = in.without_body();
  out.cluster = clusters.Acquire(in.cluster());
  return out;
}

// The parts of a policy that are extras, as bytes to compare. Empty: there are none.
std::string KeyOf(const v1::RoutePolicy& in) {
  const bool any = in.has_request_headers() || in.has_response_headers() || in.has_cors() ||
                   in.has_response_rewrites() || in.has_canary() || in.has_error_backend() ||
                   in.has_mirror() || in.no_access_log() || in.has_relative_redirects() ||
                   in.has_port_in_https_redirects() || !in.replies().empty() || in.has_tracing() ||
                   in.log_rewrites();
  if (!any) return {};
  v1::RoutePolicy extras;
  if (in.has_request_headers()) *extras.mutable_request_headers() = in.request_headers();
  if (in.has_response_headers()) *extras.mutable_response_headers() = in.response_headers();
  if (in.has_cors()) *extras.mutable_cors() = in.cors();
  if (in.has_response_rewrites()) *extras.mutable_response_rewrites() = in.response_rewrites();
  if (in.has_canary()) *extras.mutable_canary() = in.canary();
  if (in.has_error_backend()) *extras.mutable_error_backend() = in.error_backend();
  if (in.has_mirror()) *extras.mutable_mirror() = in.mirror();
  extras.set_no_access_log(in.no_access_log());
  extras.set_log_rewrites(in.log_rewrites());
  if (in.has_tracing()) *extras.mutable_tracing() = in.tracing();
  *extras.mutable_replies() = in.replies();
  if (in.has_relative_redirects()) extras.set_relative_redirects(in.relative_redirects());
  if (in.has_port_in_https_redirects())
    extras.set_port_in_https_redirects(in.port_in_https_redirects());
  return extras.SerializeAsString();
}

}  // namespace

absl::Status CompileRequestHeaders(const std::string& field, const v1::RequestHeaders& in,
                                   HeaderPolicy& out) {
  HEADGATE_ASSIGN_OR_RETURN(out.request, CompileEdits(field + ".edits", in.edits()));
  HEADGATE_ASSIGN_OR_RETURN(out.host, CompileTemplate(field + ".host", in.host()));
  switch (in.connection()) {
    case v1::RequestHeaders::CONNECTION_UNSPECIFIED: break;
    case v1::RequestHeaders::CLOSE: out.connection = policy::ConnectionOption::kClose; break;
    case v1::RequestHeaders::KEEP_ALIVE:
      out.connection = policy::ConnectionOption::kKeepAlive;
      break;
    default: return FieldError(field + ".connection", "unknown option");
  }
  return absl::OkStatus();
}

absl::Status CompileResponseHeaders(const std::string& field, const v1::ResponseHeaders& in,
                                    HeaderPolicy& out) {
  for (int i = 0; i < in.hidden_size(); ++i) {
    HEADGATE_RETURN_IF_ERROR(CheckFieldName(StrCat(field, ".hidden[", i, "]"), in.hidden(i)));
    out.hidden.push_back(in.hidden(i));
  }
  HEADGATE_ASSIGN_OR_RETURN(out.response, CompileEdits(field + ".edits", in.edits()));
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const RouteExtras>> ExtrasCompiler::Compile(
    const std::string& field, const v1::RoutePolicy& in) {
  std::string key = KeyOf(in);
  if (key.empty()) return nullptr;
  const auto found = made_.find(key);
  if (found != made_.end()) return found->second;
  RouteExtras extras;
  HEADGATE_ASSIGN_OR_RETURN(extras, Make(field, in));
  auto shared = std::make_shared<const RouteExtras>(std::move(extras));
  made_.emplace(std::move(key), shared);
  return shared;
}

absl::StatusOr<RouteExtras> ExtrasCompiler::Make(const std::string& field,
                                                 const v1::RoutePolicy& in) {
  RouteExtras out;
  HEADGATE_RETURN_IF_ERROR(
      CompileRequestHeaders(field + ".request_headers", in.request_headers(), out.headers));
  HEADGATE_RETURN_IF_ERROR(
      CompileResponseHeaders(field + ".response_headers", in.response_headers(), out.headers));
  if (in.has_cors()) HEADGATE_ASSIGN_OR_RETURN(out.cors, CompileCors(field + ".cors", in.cors()));
  HEADGATE_ASSIGN_OR_RETURN(out.rewrites,
                            CompileRewrites(field + ".response_rewrites", in.response_rewrites()));
  if (in.has_canary())
    HEADGATE_ASSIGN_OR_RETURN(out.canary, CompileCanary(field + ".canary", in.canary(), clusters_));
  if (in.has_error_backend()) {
    HEADGATE_ASSIGN_OR_RETURN(
        out.errors, CompileErrors(field + ".error_backend", in.error_backend(), clusters_));
  }
  if (in.has_mirror())
    HEADGATE_ASSIGN_OR_RETURN(out.mirror, CompileMirror(field + ".mirror", in.mirror(), clusters_));
  out.no_access_log = in.no_access_log();
  out.logs_rewrites = in.log_rewrites();
  if (in.has_tracing()) {
    HEADGATE_ASSIGN_OR_RETURN(out.tracing, CompileRouteTracing(field + ".tracing", in.tracing()));
  }
  for (int i = 0; i < in.replies_size(); ++i) {
    HEADGATE_ASSIGN_OR_RETURN(out.replies.emplace_back(),
                              CompileReply(StrCat(field, ".replies[", i, "]"), in.replies(i)));
  }
  if (in.has_relative_redirects()) out.relative_redirects = in.relative_redirects();
  if (in.has_port_in_https_redirects()) out.port_in_https_redirects = in.port_in_https_redirects();
  return out;
}

}  // namespace headgate::config
