#include "controller/translate/annotations/response_rewrites.h"

#include <string>

#include "controller/translate/annotations/values.h"

namespace headgate::translate {
namespace {

std::optional<Replacement> ReadReplacement(AnnotationReader& reader, std::string_view name) {
  const std::string* value = reader.Find(name);
  if (value == nullptr || Trim(*value).empty()) return std::nullopt;
  auto parsed = ParseReplacement(*value);
  if (!parsed) reader.Ignore(name, kCookieValues);
  return parsed;
}

std::optional<std::string> ReadRedirectPart(AnnotationReader& reader, std::string_view name,
                                            std::string_view accepted) {
  const std::string* value = reader.Find(name);
  const std::string_view text = value == nullptr ? std::string_view() : Trim(*value);
  if (text.empty()) return std::nullopt;
  if (IsRedirectText(text)) return std::string(text);
  reader.Ignore(name, accepted);
  return std::nullopt;
}

// The setting, else the default, else nothing.
template <typename T>
T Pick(const std::optional<T>& own, const std::optional<T>& general) {
  return own ? *own : general.value_or(T());
}

}  // namespace

std::optional<Replacement> ParseReplacement(std::string_view text) {
  text = Trim(text);
  if (text == "off") return Replacement();
  const size_t blank = text.find(' ');
  if (blank == std::string_view::npos || !IsUrlText(text)) return std::nullopt;
  const std::string_view from = text.substr(0, blank);
  const std::string_view to = Trim(text.substr(blank));
  constexpr std::string_view kBlanks = " \t\r\n";
  if (from.find_first_of(kBlanks) != from.npos || to.find_first_of(kBlanks) != to.npos)
    return std::nullopt;
  return Replacement{std::string(from), std::string(to)};
}

bool IsRedirectText(std::string_view text) {
  return IsUrlText(text) && text.find_first_of(" \t\r\n") == std::string_view::npos;
}

void ReadResponseRewrites(AnnotationReader& reader, IngressSettings& settings) {
  RewriteSettings& rewrites = settings.headers.rewrites;
  rewrites.cookie_domain = ReadReplacement(reader, "proxy-cookie-domain");
  rewrites.cookie_path = ReadReplacement(reader, "proxy-cookie-path");
  rewrites.redirect_from = ReadRedirectPart(reader, "proxy-redirect-from", kRedirectFromValues);
  rewrites.redirect_to = ReadRedirectPart(reader, "proxy-redirect-to", kRedirectToValues);
}

void SetResponseRewrites(const RewriteSettings& settings, const RewriteSettings& defaults,
                         std::string_view path, v1::RoutePolicy& policy) {
  const Replacement domain = Pick(settings.cookie_domain, defaults.cookie_domain);
  if (!domain.from.empty()) {
    v1::ResponseRewrites& out = *policy.mutable_response_rewrites();
    out.set_cookie_domain_from(domain.from.substr(domain.from.starts_with('.') ? 1 : 0));
    out.set_cookie_domain_to(domain.to);
  }
  const Replacement cookie_path = Pick(settings.cookie_path, defaults.cookie_path);
  if (!cookie_path.from.empty()) {
    policy.mutable_response_rewrites()->set_cookie_path_from(cookie_path.from);
    policy.mutable_response_rewrites()->set_cookie_path_to(cookie_path.to);
  }
  const std::string from = Pick(settings.redirect_from, defaults.redirect_from);
  std::string to = Pick(settings.redirect_to, defaults.redirect_to);
  if (from == "default") {
    while (path.ends_with('/')) path.remove_suffix(1);
    to = std::string(path);
  } else if (from.empty() || from == "off" || to.empty() || to == "off") {
    return;
  }
  policy.mutable_response_rewrites()->set_redirect_from(from);
  policy.mutable_response_rewrites()->set_redirect_to(to);
}

}  // namespace headgate::translate
