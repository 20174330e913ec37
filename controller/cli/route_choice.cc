#include "controller/cli/route_choice.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "common/regex.h"
#include "common/strings.h"
#include "controller/translate/names.h"

namespace headgate::cli {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = absl::ascii_tolower(static_cast<unsigned char>(c));
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::optional<std::string> Decoded(std::string_view raw) {
  std::string out;
  for (size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '%') {
      out += raw[i];
      continue;
    }
    if (i + 2 >= raw.size() || HexDigit(raw[i + 1]) < 0 || HexDigit(raw[i + 2]) < 0)
      return std::nullopt;
    out += static_cast<char>(HexDigit(raw[i + 1]) * 16 + HexDigit(raw[i + 2]));
    i += 2;
  }
  return out;
}

bool FitsPrefix(std::string_view prefix, std::string_view path) {
  if (!path.starts_with(prefix)) return false;
  return prefix.ends_with('/') || path.size() == prefix.size() || path[prefix.size()] == '/';
}

// As the data plane has it (route/route_table.h).
bool FitsRegex(const std::string& regex, std::string_view path) {
  std::string error;
  const auto pattern = Regex::Compile(regex, Regex::Anchor::kStart, Regex::Case::kIgnored, &error);
  return pattern != nullptr && pattern->Finds(path, /*when_in_doubt=*/true);
}

bool Fits(const v1::RouteMatch& match, std::string_view path) {
  switch (match.path_case()) {
    case v1::RouteMatch::kExactPath: return path == match.exact_path();
    case v1::RouteMatch::kPrefixPath: return FitsPrefix(match.prefix_path(), path);
    case v1::RouteMatch::kRegexPath: return FitsRegex(match.regex_path(), path);
    case v1::RouteMatch::PATH_NOT_SET: return false;
  }
  return false;
}

// Exact before regular expressions, these in the order given, then prefixes, the longest first.
bool ComesBefore(const v1::Route& a, const v1::Route& b) {
  const auto rank = [](const v1::RouteMatch& match) {
    return match.has_exact_path() ? 0 : match.has_regex_path() ? 1 : 2;
  };
  if (rank(a.match()) != rank(b.match())) return rank(a.match()) < rank(b.match());
  return a.match().has_prefix_path() &&
         a.match().prefix_path().size() > b.match().prefix_path().size();
}

std::string WhyNot(const v1::Route& route, const v1::Route& taken) {
  if (taken.match().has_exact_path()) return "fits too, but an exact path goes first";
  if (route.match().has_regex_path())
    return "fits too, but the longer text of the other is tried first";
  return "fits too, but is shorter";
}

const v1::VirtualHost* FindHost(const translate::Translation& translation, std::string_view host) {
  const size_t dot = host.find('.');
  const std::string wildcard =
      dot == std::string_view::npos || dot == 0 ? "" : StrCat("*", host.substr(dot));
  const v1::VirtualHost* best = nullptr;
  int best_rank = 0;
  for (const translate::ResourcePtr& resource : translation.resources) {
    if (!resource->has_virtual_host()) continue;
    const std::string& name = resource->virtual_host().host();
    const int rank = name == host                    ? 3
                     : name == wildcard              ? 2
                     : name == translate::kEveryHost ? 1
                                                     : 0;
    if (rank <= best_rank) continue;
    best = &resource->virtual_host();
    best_rank = rank;
  }
  return best;
}

}  // namespace

const std::string* Request::Find(std::string_view name) const {
  for (const auto& [field, value] : fields) {
    if (absl::EqualsIgnoreCase(ToAbsl(field), ToAbsl(name))) return &value;
  }
  return nullptr;
}

std::optional<std::string> NormalPath(std::string_view raw) {
  const std::optional<std::string> decoded = Decoded(raw);
  if (!decoded) return std::nullopt;
  std::vector<std::string_view> segments;
  bool directory = true;  // the path ends in "/"
  for (std::string_view rest = *decoded; !rest.empty();) {
    rest.remove_prefix(1);  // the slash
    const size_t end = std::min(rest.find('/'), rest.size());
    const std::string_view segment = rest.substr(0, end);
    rest.remove_prefix(end);
    directory = segment.empty() || segment == "." || segment == "..";
    if (segment == "..") {
      if (segments.empty()) return std::nullopt;
      segments.pop_back();
    } else if (!directory) {
      segments.push_back(segment);
    }
  }
  std::string out;
  for (const std::string_view segment : segments) StrAppend(&out, "/", segment);
  if (directory || out.empty()) out += '/';
  return out;
}

absl::StatusOr<Request> ParseRequestUrl(std::string_view url) {
  Request request;
  if (url.starts_with("https://")) {
    request.tls = true;
    url.remove_prefix(8);
  } else if (url.starts_with("http://")) {
    url.remove_prefix(7);
  }
  url = url.substr(0, url.find('#'));
  const size_t path = std::min(url.find_first_of("/?"), url.size());
  const std::string_view authority = url.substr(0, path);
  std::string_view target = url.substr(path);
  const size_t bracket = authority.find(']');  // of an IPv6 address
  const size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  request.host = absl::AsciiStrToLower(ToAbsl(authority.substr(0, colon)));
  if (request.host.ends_with('.')) request.host.pop_back();
  if (request.host.empty())
    return absl::InvalidArgumentError(StrCat("\"", url, "\" names no host"));
  const size_t query = target.find('?');
  if (query != std::string_view::npos) {
    request.query = target.substr(query);
    target = target.substr(0, query);
  }
  const std::optional<std::string> normal = NormalPath(target.empty() ? "/" : target);
  if (!normal) return absl::InvalidArgumentError(StrCat("the path ", target, " is answered 400"));
  request.path = *normal;
  return request;
}

Choice Choose(const translate::Translation& translation, const Request& request) {
  Choice choice;
  choice.host = FindHost(translation, request.host);
  if (choice.host == nullptr) return choice;
  std::vector<const v1::Route*> routes;
  for (const v1::Route& route : choice.host->routes()) routes.push_back(&route);
  std::stable_sort(routes.begin(), routes.end(),
                   [](const v1::Route* a, const v1::Route* b) { return ComesBefore(*a, *b); });
  std::vector<PassedOver> others;
  for (const v1::Route* route : routes) {
    if (!Fits(route->match(), request.path)) {
      others.push_back({route, "does not fit the path"});
    } else if (choice.route == nullptr) {
      choice.route = route;
    } else {
      choice.passed_over.push_back({route, WhyNot(*route, *choice.route)});
    }
  }
  choice.passed_over.insert(choice.passed_over.end(), others.begin(), others.end());
  return choice;
}

std::string MatchText(const v1::Route& route) {
  switch (route.match().path_case()) {
    case v1::RouteMatch::kExactPath: return StrCat("Exact ", route.match().exact_path());
    case v1::RouteMatch::kPrefixPath: return StrCat("Prefix ", route.match().prefix_path());
    case v1::RouteMatch::kRegexPath:
      return StrCat("regular expression ^", route.match().regex_path());
    case v1::RouteMatch::PATH_NOT_SET: break;
  }
  return "nothing";
}

}  // namespace headgate::cli
