#include "dataplane/config/compile_retries.h"

#include "dataplane/config/compile_values.h"

namespace headgate::config {
namespace {

// 0: not known.
uint16_t ConditionOf(int condition) {
  switch (condition) {
    case v1::NextUpstream::ERROR: return RetryPolicy::kError;
    case v1::NextUpstream::TIMEOUT: return RetryPolicy::kTimeout;
    case v1::NextUpstream::INVALID_HEADER: return RetryPolicy::kInvalidHeader;
    case v1::NextUpstream::HTTP_500: return RetryPolicy::kStatus500;
    case v1::NextUpstream::HTTP_502: return RetryPolicy::kStatus502;
    case v1::NextUpstream::HTTP_503: return RetryPolicy::kStatus503;
    case v1::NextUpstream::HTTP_504: return RetryPolicy::kStatus504;
    case v1::NextUpstream::HTTP_403: return RetryPolicy::kStatus403;
    case v1::NextUpstream::HTTP_404: return RetryPolicy::kStatus404;
    case v1::NextUpstream::HTTP_429: return RetryPolicy::kStatus429;
    case v1::NextUpstream::NON_IDEMPOTENT: return RetryPolicy::kNonIdempotent;
    default: return 0;
  }
}

absl::Status CheckAttribute(const std::string& field, std::string_view value) {
  HEADGATE_RETURN_IF_ERROR(CheckPrintable(field, value));
  if (value.find(';') != std::string_view::npos) return FieldError(field, "holds a semicolon");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SessionCookie> CompileSessionCookie(std::string_view field,
                                                   const v1::SessionCookie& in) {
  HEADGATE_RETURN_IF_ERROR(CheckToken(StrCat(field, ".name"), in.name()));
  HEADGATE_RETURN_IF_ERROR(CheckAttribute(StrCat(field, ".domain"), in.domain()));
  HEADGATE_RETURN_IF_ERROR(CheckAttribute(StrCat(field, ".path"), in.path()));
  SessionCookie out;
  out.name = in.name();
  if (in.has_expires_seconds()) out.expires_seconds = in.expires_seconds();
  if (in.has_max_age_seconds()) out.max_age_seconds = in.max_age_seconds();
  out.domain = in.domain();
  out.path = in.path();
  out.secure = in.secure();
  out.conditional_same_site_none = in.conditional_same_site_none();
  out.change_on_failure = in.change_on_failure();
  switch (in.same_site()) {
    case v1::SessionCookie::SAME_SITE_UNSPECIFIED: break;
    case v1::SessionCookie::NONE: out.same_site = SessionCookie::SameSite::kNone; break;
    case v1::SessionCookie::LAX: out.same_site = SessionCookie::SameSite::kLax; break;
    case v1::SessionCookie::STRICT: out.same_site = SessionCookie::SameSite::kStrict; break;
    default: return FieldError(StrCat(field, ".same_site"), "unknown value");
  }
  return out;
}

absl::StatusOr<RetryOverride> CompileNextUpstream(std::string_view field,
                                                  const v1::NextUpstream& in) {
  RetryOverride out;
  if (in.has_conditions()) {
    uint16_t conditions = 0;
    for (const int condition : in.conditions().any_of()) {
      const uint16_t bit = ConditionOf(condition);
      if (bit == 0) return FieldError(StrCat(field, ".conditions"), "unknown condition");
      conditions = static_cast<uint16_t>(conditions | bit);
    }
    out.conditions = conditions;
  }
  if (in.has_tries()) out.tries = in.tries();
  if (in.has_timeout()) {
    HEADGATE_ASSIGN_OR_RETURN(out.timeout, CompileDuration(StrCat(field, ".timeout"), in.timeout(),
                                                           ZeroDuration::kAllowed));
  }
  return out;
}

}  // namespace headgate::config
