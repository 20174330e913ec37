#include "dataplane/proxy/session.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace headgate::proxy {
namespace {

using config::SessionCookie;

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string_view SameSiteOf(const SessionCookieInput& input) {
  switch (input.cookie.same_site) {
    case SessionCookie::SameSite::kUnset: return "";
    case SessionCookie::SameSite::kNone:
      return input.cookie.conditional_same_site_none && MisreadsSameSiteNone(input.user_agent)
                 ? ""
                 : "None";
    case SessionCookie::SameSite::kLax: return "Lax";
    case SessionCookie::SameSite::kStrict: return "Strict";
  }
  return "";
}

// The form of the Netscape cookie specification, "Thu, 18-Nov-10 11:27:35 GMT".
std::string CookieDate(int64_t seconds) {
  return absl::FormatTime("%a, %d-%b-%y %H:%M:%S GMT", absl::FromUnixSeconds(seconds),
                          absl::UTCTimeZone());
}

}  // namespace

std::string_view SessionKeyIn(std::string_view value, std::string_view upstream_key) {
  const size_t bar = value.find('|');
  if (bar == std::string_view::npos || value.substr(bar + 1) != upstream_key) return {};
  return value.substr(0, bar);
}

bool MisreadsSameSiteNone(std::string_view user_agent) {
  constexpr std::string_view kChrome = "Chrome/";
  if (const size_t at = user_agent.find(kChrome); at != std::string_view::npos) {
    const std::string_view version = user_agent.substr(at + kChrome.size());
    const auto is_digit = [&](size_t i) {
      return i < version.size() && absl::ascii_isdigit(static_cast<unsigned char>(version[i]));
    };
    if (is_digit(0) && version[0] >= '4' && version[0] <= '6' && is_digit(1) && !is_digit(2))
      return true;
  }
  if (Contains(user_agent, "iPhone OS 12_") || Contains(user_agent, "iPad; CPU OS 12_"))
    return true;
  return Contains(user_agent, "Mac OS X 10_14") && Contains(user_agent, "Version/") &&
         Contains(user_agent, "Safari/");
}

std::string_view MakeSessionCookie(const SessionCookieInput& input, base::Arena& arena) {
  const SessionCookie& cookie = input.cookie;
  std::string text =
      absl::StrCat(cookie.name, "=", absl::string_view(input.key.data(), input.key.size()), "|",
                   absl::string_view(input.upstream_key.data(), input.upstream_key.size()));
  if (cookie.expires_seconds) {
    absl::StrAppend(&text, "; Expires=", CookieDate(input.now + *cookie.expires_seconds));
  }
  if (cookie.max_age_seconds) absl::StrAppend(&text, "; Max-Age=", *cookie.max_age_seconds);
  if (!cookie.domain.empty()) absl::StrAppend(&text, "; Domain=", cookie.domain);
  if (!cookie.path.empty()) absl::StrAppend(&text, "; Path=", cookie.path);
  if (cookie.secure || input.over_tls) text += "; Secure";
  text += "; HttpOnly";
  if (const std::string_view same_site = SameSiteOf(input); !same_site.empty()) {
    text += "; SameSite=";
    text += same_site;
  }
  return arena.Copy(text);
}

}  // namespace headgate::proxy
