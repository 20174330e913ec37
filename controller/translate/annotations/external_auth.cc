#include "controller/translate/annotations/external_auth.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "common/strings.h"
#include "controller/translate/addresses.h"
#include "controller/translate/annotations/values.h"
#include "controller/translate/text_template.h"

namespace headgate::translate {
namespace {

constexpr std::string_view kOwnHost = "$host";
constexpr int64_t kMostConnections = 1'000'000;

bool IsOf(std::string_view text, std::string_view punctuation) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           punctuation.find(c) != std::string_view::npos;
  });
}

bool IsMethod(std::string_view text) {
  constexpr std::string_view kMethods[] = {"GET",    "HEAD",    "POST",    "PUT",  "PATCH",
                                           "DELETE", "CONNECT", "OPTIONS", "TRACE"};
  return std::find(std::begin(kMethods), std::end(kMethods), text) != std::end(kMethods);
}

// Serialised; nothing for what is no template.
std::optional<std::string> ToTemplate(std::string_view text, std::vector<std::string>& unknown) {
  std::optional<ParsedTemplate> parsed = ParseTemplate(text);
  if (!parsed) return std::nullopt;
  unknown.insert(unknown.end(), parsed->unknown.begin(), parsed->unknown.end());
  return parsed->text.SerializeAsString();
}

// "SCHEME://HOST[:PORT][/PATH][?QUERY]", with variables behind the host, and "$host" as the host.
bool ParseUrl(std::string_view url, ExternalAuthSettings& out, std::vector<std::string>& unknown) {
  if (!IsOf(url, "-._~/:,?&=$")) return false;
  const size_t scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) return false;
  const std::string_view scheme = url.substr(0, scheme_end);
  if (scheme != "http" && scheme != "https") return false;
  out.tls = scheme == "https";
  url.remove_prefix(scheme_end + 3);
  const size_t host_end = std::min(url.find_first_of("/?"), url.size());
  std::string_view host = url.substr(0, host_end);
  url.remove_prefix(host_end);

  uint32_t port = out.tls ? 443 : 80;
  if (const size_t colon = host.find(':'); colon != std::string_view::npos) {
    const std::string_view digits = host.substr(colon + 1);
    if (!absl::SimpleAtoi(absl::string_view(digits.data(), digits.size()), &port) || port == 0 ||
        port > 65535)
      return false;
    host = host.substr(0, colon);
  }
  out.port = static_cast<uint16_t>(port);
  out.own_host = host == kOwnHost;
  if (!out.own_host) {
    if (!IsDnsName(host) && !ParseIpAddress(host)) return false;
    out.host = absl::AsciiStrToLower(absl::string_view(host.data(), host.size()));
  }
  std::optional<std::string> target =
      ToTemplate(url.starts_with('/') ? std::string(url) : StrCat("/", url), unknown);
  if (!target) return false;
  out.target = *std::move(target);
  return true;
}

// Without auth-keepalive, as ingress-nginx has it, the others mean nothing.
void ReadAuthConnections(AnnotationReader& reader, ExternalAuthSettings& out) {
  const auto number = [&](std::string_view name) -> std::optional<uint32_t> {
    const std::string* value = reader.Find(name);
    if (value == nullptr) return std::nullopt;
    const std::optional<int64_t> parsed = ParseInt(*value);
    if (parsed && *parsed >= 0 && *parsed <= kMostConnections)
      return static_cast<uint32_t>(*parsed);
    reader.Ignore(name, "a whole number from 0 to 1000000");
    return std::nullopt;
  };
  const std::optional<uint32_t> idle = number("auth-keepalive");
  const std::optional<uint32_t> requests = number("auth-keepalive-requests");
  const std::optional<uint32_t> timeout = number("auth-keepalive-timeout");
  const bool shared = reader.Bool("auth-keepalive-share-vars").value_or(false);
  if (idle.value_or(0) == 0) return;
  // With HTTP/2, ingress-nginx asks in another way, in which variables are always those of the
  // request.
  out.own_request_id = !shared && !reader.rules().http2;
  out.connections.idle = idle;
  out.connections.requests = requests.value_or(1000);
  out.connections.idle_timeout = timeout.value_or(60);
}

constexpr std::string_view kDefaultCached = "200 202 401 5m";

// "STATUS STATUS ... TIME, ..."; without statuses those that NGINX takes then.
std::optional<std::vector<CachedStatuses>> ParseCached(std::string_view text) {
  std::vector<CachedStatuses> out;
  for (const std::string_view item : SplitList(text)) {
    CachedStatuses& added = out.emplace_back();
    const std::vector<std::string> words =
        absl::StrSplit(absl::string_view(item.data(), item.size()), ' ', absl::SkipEmpty());
    const std::optional<absl::Duration> duration = ParseDuration(words.back());
    constexpr absl::Duration kMost = absl::Hours(24 * 20);
    if (!duration || *duration < absl::ZeroDuration()) return std::nullopt;
    added.milliseconds = absl::ToInt64Milliseconds(std::min(*duration, kMost));
    for (size_t i = 0; i + 1 < words.size(); ++i) {
      uint32_t status = 0;
      if (words[i].size() != 3 || !absl::SimpleAtoi(words[i], &status) || status < 200 ||
          status > 599)
        return std::nullopt;
      added.statuses.push_back(status);
    }
    if (words.size() == 1) added.statuses = {200, 301, 302};
  }
  if (out.empty()) return std::nullopt;
  return out;
}

}  // namespace

std::optional<ExternalAuthSettings> ParseExternalAuth(const ExternalAuthInput& input,
                                                      ExternalAuthProblem& problem,
                                                      std::vector<std::string>& unknown) {
  ExternalAuthSettings out;
  const auto bad = [&](std::string_view part, std::string accepted) {
    problem = {part, std::move(accepted)};
    return std::nullopt;
  };
  if (!ParseUrl(input.url, out, unknown)) {
    return bad("url",
               "http or https, a host name or $host, perhaps a port, and a path with variables");
  }
  if (!input.method.empty() && !IsMethod(input.method))
    return bad("method", "an HTTP method in capitals");
  out.method = input.method;
  if (!input.signin.empty()) {
    const bool absolute = input.signin.starts_with("http") || input.signin.starts_with('/') ||
                          input.signin.starts_with('$');
    std::optional<std::string> signin = ToTemplate(input.signin, unknown);
    if (!absolute || !signin || !IsOf(input.signin, "-._~/:,?&=$"))
      return bad("signin", "a URL, perhaps with variables");
    out.signin = std::move(signin);
  }
  if (!IsOf(input.signin_parameter, "-._~/:,?&="))
    return bad("signin-redirect-param", "the name of a parameter");
  out.signin_parameter = input.signin_parameter;
  for (const std::string_view name : SplitList(input.response_headers)) {
    if (!IsOf(name, "-_"))
      return bad("response-headers", "names of header fields, separated by commas");
    out.response_headers.emplace_back(name);
  }
  if (!IsOf(input.request_redirect, "-._~/:, ")) {
    return bad("request-redirect", "letters, digits, blanks and - . _ ~ / : ,");
  }
  out.request_redirect = input.request_redirect;
  const std::optional<bool> cookie =
      input.always_set_cookie.empty() ? false : ParseBool(input.always_set_cookie);
  if (!cookie) return bad("always-set-cookie", "true or false");
  out.always_set_cookie = *cookie;
  if (!input.cache_key.empty()) {
    std::vector<std::string> missing;
    std::optional<std::string> key = ToTemplate(input.cache_key, missing);
    if (!key || !IsOf(input.cache_key, "-_${}"))
      return bad("cache-key", "letters, digits, - _ and variables");
    // Without all of its parts one client's answer could be another's.
    if (missing.empty()) out.cache_key = *std::move(key);
    unknown.insert(unknown.end(), missing.begin(), missing.end());
  }
  std::optional<std::vector<CachedStatuses>> cached =
      ParseCached(input.cache_duration.empty() ? kDefaultCached : input.cache_duration);
  if (!cached)
    return bad("cache-duration", "statuses and a time, as 200 202 401 5m, separated by commas");
  if (!out.cache_key.empty()) out.cached = *std::move(cached);
  return out;
}

void ReadExternalAuth(AnnotationReader& reader, IngressSettings& settings) {
  AccessSettings& access = settings.access;
  access.no_global_auth = !reader.Bool("enable-global-auth").value_or(true);
  const std::string* url = reader.Find("auth-url");
  if (url == nullptr) return;
  const auto text = [&](std::string_view name) {
    const std::string* value = reader.Find(name);
    return value == nullptr ? std::string_view() : Trim(*value);
  };
  const ExternalAuthInput input{.url = Trim(*url),
                                .method = text("auth-method"),
                                .signin = text("auth-signin"),
                                .signin_parameter = text("auth-signin-redirect-param"),
                                .response_headers = text("auth-response-headers"),
                                .request_redirect = text("auth-request-redirect"),
                                .always_set_cookie = text("auth-always-set-cookie"),
                                .cache_key = text("auth-cache-key"),
                                .cache_duration = text("auth-cache-duration")};
  ExternalAuthProblem problem;
  std::vector<std::string> unknown;
  access.external = ParseExternalAuth(input, problem, unknown);
  if (!access.external) {
    const std::string name = StrCat("auth-", problem.part);
    const std::string* value = reader.Find(name);
    return reader.Deny(name, StrCat(QuoteValue(value == nullptr ? "" : *value),
                                    " is not valid, accepted: ", problem.accepted));
  }
  for (const std::string& name : unknown) {
    reader.Warn("auth-url", StrCat("variable $", name, " is not known here and stays empty"));
  }
  access.external->request_headers =
      reader.ConfigMap("auth-proxy-set-headers").value_or(kube::ObjectKey());
  ReadAuthConnections(reader, *access.external);
}

}  // namespace headgate::translate
