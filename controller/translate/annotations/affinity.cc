#include "controller/translate/annotations/affinity.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "controller/translate/annotations/values.h"

namespace headgate::translate {
namespace {

// Letters, digits and - . _ ~, of which names of cookies and domains are made.
bool IsBasicText(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.' || c == '_' ||
           c == '~';
  });
}

void ReadSeconds(AnnotationReader& reader, std::string_view name, std::optional<int64_t>& out) {
  const std::string* value = reader.Find(name);
  if (value == nullptr) return;
  const auto seconds = ParseInt(*value);
  if (!seconds || *seconds < std::numeric_limits<int32_t>::min() ||
      *seconds > std::numeric_limits<int32_t>::max()) {
    return reader.Ignore(name, "a whole number of seconds");
  }
  out = *seconds;
}

void ReadText(AnnotationReader& reader, std::string_view name, bool (*accepts)(std::string_view),
              std::string_view accepted, std::string& out) {
  const std::string* value = reader.Find(name);
  if (value == nullptr || value->empty()) return;
  if (!accepts(*value)) return reader.Ignore(name, accepted);
  out = *value;
}

void ReadSameSite(AnnotationReader& reader, SessionCookieSettings& out) {
  constexpr std::string_view kName = "session-cookie-samesite";
  const std::string* value = reader.Find(kName);
  if (value == nullptr) return;
  if (absl::EqualsIgnoreCase(*value, "none")) {
    out.same_site = SameSite::kNone;
  } else if (absl::EqualsIgnoreCase(*value, "lax")) {
    out.same_site = SameSite::kLax;
  } else if (absl::EqualsIgnoreCase(*value, "strict")) {
    out.same_site = SameSite::kStrict;
  } else {
    reader.Ignore(kName, "None, Lax or Strict");
  }
}

SessionCookieSettings ReadCookie(AnnotationReader& reader) {
  SessionCookieSettings out;
  ReadText(reader, "session-cookie-name", IsBasicText, "letters, digits, -, ., _ and ~", out.name);
  ReadText(reader, "session-cookie-domain", IsBasicText, "letters, digits, -, ., _ and ~",
           out.domain);
  ReadText(reader, "session-cookie-path", IsUrlText, "an absolute path", out.path);
  out.secure = reader.Bool("session-cookie-secure").value_or(false);
  ReadSeconds(reader, "session-cookie-expires", out.expires);
  ReadSeconds(reader, "session-cookie-max-age", out.max_age);
  ReadSameSite(reader, out);
  out.conditional_same_site_none =
      reader.Bool("session-cookie-conditional-samesite-none").value_or(false);
  out.change_on_failure = reader.Bool("session-cookie-change-on-failure").value_or(false);
  return out;
}

v1::SessionCookie::SameSite ToSameSite(SameSite value) {
  switch (value) {
    case SameSite::kUnset: break;
    case SameSite::kNone: return v1::SessionCookie::NONE;
    case SameSite::kLax: return v1::SessionCookie::LAX;
    case SameSite::kStrict: return v1::SessionCookie::STRICT;
  }
  return v1::SessionCookie::SAME_SITE_UNSPECIFIED;
}

}  // namespace

void ReadAffinity(AnnotationReader& reader, IngressSettings& settings) {
  if (const std::string* value = reader.Find("affinity-canary-behavior")) {
    settings.headers.canary_sessions_decided_anew = *value == "legacy";
    if (*value != "sticky" && *value != "legacy")
      reader.Ignore("affinity-canary-behavior", "sticky or legacy");
  }
  Affinity mode = Affinity::kBalanced;
  if (const std::string* value = reader.Find("affinity-mode")) {
    if (*value == "persistent") {
      mode = Affinity::kPersistent;
    } else if (*value != "balanced") {
      reader.Ignore("affinity-mode", "balanced or persistent");
    }
  }
  SessionCookieSettings cookie = ReadCookie(reader);
  const std::string* value = reader.Find("affinity");
  if (value == nullptr) return;
  if (*value != "cookie") return reader.Ignore("affinity", "cookie");
  settings.upstream.balancing.affinity = mode;
  settings.session_cookie = std::move(cookie);
}

void SetSessionCookie(const SessionCookieSettings& settings, std::string_view path,
                      v1::SessionCookie& out) {
  out.set_name(settings.name);
  if (settings.expires) out.set_expires_seconds(*settings.expires);
  if (settings.max_age) out.set_max_age_seconds(*settings.max_age);
  out.set_domain(settings.domain);
  // A path that cannot stand in the field would cost the host more than the path of its cookie.
  const bool usable =
      path.find(';') == std::string_view::npos && std::all_of(path.begin(), path.end(), [](char c) {
        return absl::ascii_isprint(static_cast<unsigned char>(c));
      });
  out.set_path(!settings.path.empty() ? settings.path : usable ? std::string(path) : "/");
  out.set_secure(settings.secure);
  out.set_same_site(ToSameSite(settings.same_site));
  out.set_conditional_same_site_none(settings.conditional_same_site_none);
  out.set_change_on_failure(settings.change_on_failure);
}

}  // namespace headgate::translate
