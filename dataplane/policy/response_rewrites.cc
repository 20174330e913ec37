#include "dataplane/policy/response_rewrites.h"

#include "dataplane/http/chars.h"

namespace headgate::policy {
namespace {

using http::EqualsIgnoreCase;
using http::FieldId;
using http::TrimBlanks;

constexpr std::string_view kDefault = "default";

std::string_view WithoutDot(std::string_view domain) {
  return domain.starts_with('.') ? domain.substr(1) : domain;
}

// The part of `cookie` in which an attribute's value stands is replaced.
std::string_view ReplacePart(std::string_view cookie, std::string_view part, size_t length,
                             std::string_view by, base::Arena& arena) {
  const auto at = static_cast<size_t>(part.data() - cookie.data());
  return arena.Join(cookie.substr(0, at), by, cookie.substr(at + length));
}

// The value of the first attribute of that name, a view into `cookie`; its data is null when there
// is none.
std::string_view FindAttribute(std::string_view cookie, std::string_view name) {
  size_t at = cookie.find(';');  // what stands before is the cookie itself
  while (at != std::string_view::npos) {
    const size_t end = cookie.find(';', at + 1);
    const std::string_view attribute =
        cookie.substr(at + 1, end == std::string_view::npos ? end : end - at - 1);
    const size_t equals = attribute.find('=');
    if (equals != std::string_view::npos &&
        EqualsIgnoreCase(TrimBlanks(attribute.substr(0, equals)), name)) {
      return TrimBlanks(attribute.substr(equals + 1));
    }
    at = end;
  }
  return {};
}

// How much of a URL is replaced; 0: nothing.
size_t ReplacedPart(const ResponseRewrites& rewrites, std::string_view url,
                    std::string_view endpoint) {
  if (rewrites.redirect_from != kDefault)
    return url.starts_with(rewrites.redirect_from) ? rewrites.redirect_from.size() : 0;
  if (endpoint.empty()) return 0;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!url.starts_with(scheme) || !url.substr(scheme.size()).starts_with(endpoint)) continue;
    const size_t size = scheme.size() + endpoint.size();
    if (url.size() == size || url[size] == '/') return size;
  }
  return 0;
}

// The URL in `value`, from `at`, with the beginning replaced if it fits.
std::string_view RewriteUrl(const ResponseRewrites& rewrites, std::string_view value, size_t at,
                            std::string_view endpoint, base::Arena& arena) {
  const size_t size = ReplacedPart(rewrites, value.substr(at), endpoint);
  if (size == 0) return value;
  return arena.Join(value.substr(0, at), rewrites.redirect_to, value.substr(at + size));
}

// Where the URL of a Refresh begins, as in "5; url=/next".
size_t RefreshUrl(std::string_view value) {
  for (size_t i = 0; i + 4 <= value.size(); ++i) {
    if (EqualsIgnoreCase(value.substr(i, 4), "url=")) return i + 4;
  }
  return value.size();
}

}  // namespace

std::string_view RewriteCookie(const ResponseRewrites& rewrites, std::string_view cookie,
                               base::Arena& arena) {
  if (!rewrites.cookie_domain_from.empty()) {
    // A dot in front is not compared, and stays.
    const std::string_view domain = WithoutDot(FindAttribute(cookie, "domain"));
    if (!domain.empty() && EqualsIgnoreCase(domain, rewrites.cookie_domain_from)) {
      cookie = ReplacePart(cookie, domain, domain.size(), rewrites.cookie_domain_to, arena);
    }
  }
  if (!rewrites.cookie_path_from.empty()) {
    const std::string_view path = FindAttribute(cookie, "path");
    if (path.starts_with(rewrites.cookie_path_from)) {
      cookie = ReplacePart(cookie, path, rewrites.cookie_path_from.size(), rewrites.cookie_path_to,
                           arena);
    }
  }
  return cookie;
}

void Apply(const ResponseRewrites& rewrites, std::string_view endpoint, base::Arena& arena,
           http::HeaderMap& fields) {
  fields.ChangeValues([&](const http::Field& field) -> std::string_view {
    if (EqualsIgnoreCase(field.name, "set-cookie"))
      return RewriteCookie(rewrites, field.value, arena);
    if (rewrites.redirect_from.empty()) return field.value;
    if (field.id == FieldId::kLocation)
      return RewriteUrl(rewrites, field.value, 0, endpoint, arena);
    if (EqualsIgnoreCase(field.name, "refresh")) {
      return RewriteUrl(rewrites, field.value, RefreshUrl(field.value), endpoint, arena);
    }
    return field.value;
  });
}

}  // namespace headgate::policy
