#include "controller/translate/annotations/snippets.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_join.h"
#include "common/strings.h"
#include "controller/translate/annotations/snippet_rules.h"
#include "controller/translate/annotations/values.h"

namespace headgate::translate {
namespace {

// Of one message.
constexpr size_t kMaxNamed = 6;
constexpr size_t kMaxNameBytes = 40;

struct Replacement {
  std::string_view directive;  // ending in '*': all names that begin so
  std::string_view instead;
};

constexpr Replacement kReplacements[] = {
    {"more_set_headers", "the annotation custom-headers, the options add-headers and hsts"},
    {"add_header", "the annotation custom-headers, the options add-headers and hsts"},
    {"more_clear_headers", "the option hide-headers"},
    {"proxy_hide_header", "the option hide-headers"},
    {"more_set_input_headers", "the option proxy-set-headers"},
    {"proxy_set_header", "the option proxy-set-headers"},
    {"grpc_set_header", "the option proxy-set-headers"},
    {"auth_request_set", "the annotation auth-response-headers"},
    {"auth_request", "the annotation auth-url"},
    {"auth_basic*", "the annotations auth-type and auth-secret"},
    {"return", "the annotations permanent-redirect and temporal-redirect"},
    {"rewrite", "the annotations rewrite-target and permanent-redirect"},
    {"if", "the annotations from-to-www-redirect and force-ssl-redirect, or an Ingress of its own"},
    {"location", "a path of its own, with denylist-source-range where nobody may come in"},
    {"allow", "the annotations allowlist-source-range and denylist-source-range"},
    {"deny", "the annotations allowlist-source-range and denylist-source-range"},
    {"client_max_body_size", "the annotation proxy-body-size"},
    {"proxy_connect_timeout", "the annotation of that name"},
    {"proxy_read_timeout", "the annotation of that name"},
    {"proxy_send_timeout", "the annotation of that name"},
    {"grpc_read_timeout", "the annotation proxy-read-timeout"},
    {"grpc_send_timeout", "the annotation proxy-send-timeout"},
    {"proxy_buffer*",
     "the annotations proxy-buffering, proxy-buffer-size and proxy-buffers-number"},
    {"proxy_request_buffering", "the annotation of that name"},
    {"proxy_cookie_*", "the annotations proxy-cookie-domain and proxy-cookie-path"},
    {"proxy_redirect", "the annotations proxy-redirect-from and proxy-redirect-to"},
    {"proxy_ssl_*", "the annotations proxy-ssl-*"},
    {"limit_req*", "the annotations limit-rps and limit-rpm"},
    {"limit_conn*", "the annotation limit-connections"},
    {"limit_rate*", "the annotation limit-rate"},
    {"gzip*", "the options of docs/bodies.md"},
    {"brotli*", "the options of docs/bodies.md"},
    {"ssl_*", "the annotations auth-tls-* and ssl-ciphers, the option ssl-protocols"},
    {"server_tokens", "the option of that name"},
    {"error_page", "the annotations custom-http-errors and default-backend"},
    {"access_log", "the annotation enable-access-log"},
};

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// "line 1: add_header (use …), line 3: …"
std::string Describe(std::string_view snippet) {
  std::string out;
  size_t named = 0;
  std::vector<std::string_view> seen;
  for (const SnippetDirective& directive : FindDirectives(snippet)) {
    const std::string_view name = directive.name.substr(0, kMaxNameBytes);
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) continue;
    seen.push_back(name);
    if (++named > kMaxNamed) return StrCat(out, " and others");
    StrAppend(&out, named == 1 ? "" : ", ", "line ", directive.line, ": ", name,
              " (here: ", InsteadOfDirective(name), ")");
  }
  return out;
}

// Serialised; empty where the Ingress is refused.
std::string Translate(AnnotationReader& reader, std::string_view name, std::string_view snippet,
                      SnippetPlace place) {
  const SnippetResult result = TranslateSnippet(snippet, place);
  for (const std::string& note : result.notes) reader.Note(name, note);
  if (result.problems.empty()) return result.policy.SerializeAsString();
  const size_t shown = std::min(result.problems.size(), kMaxNamed);
  const std::string problems = absl::StrJoin(
      result.problems.begin(), result.problems.begin() + static_cast<ptrdiff_t>(shown), ", ");
  reader.Refuse(name, StrCat("it cannot be translated: ", problems,
                             shown < result.problems.size() ? " and others" : ""));
  return {};
}

}  // namespace

std::vector<SnippetDirective> FindDirectives(std::string_view text) {
  std::vector<SnippetDirective> found;
  size_t line = 1;
  bool at_start = true;  // of a statement
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') ++line;
    if (c == ';' || c == '{' || c == '}') {
      at_start = true;
    } else if (c == '#') {
      while (i + 1 < text.size() && text[i + 1] != '\n') ++i;
    } else if (c == '"' || c == '\'') {
      for (++i; i < text.size() && text[i] != c; ++i) {
        if (text[i] == '\\') ++i;
        if (i < text.size() && text[i] == '\n') ++line;
      }
      at_start = false;
    } else if (at_start && IsNameByte(c)) {
      const size_t first = i;
      while (i + 1 < text.size() && IsNameByte(text[i + 1])) ++i;
      found.push_back({line, text.substr(first, i + 1 - first)});
      at_start = false;
    }
  }
  return found;
}

std::string_view InsteadOfDirective(std::string_view directive) {
  for (const auto& [name, instead] : kReplacements) {
    const bool fits = name.ends_with('*') ? directive.starts_with(name.substr(0, name.size() - 1))
                                          : directive == name;
    if (fits) return instead;
  }
  return "nothing";
}

void ReadSnippets(AnnotationReader& reader, IngressSettings& settings) {
  const bool allowed = reader.rules().snippets && reader.rules().highest == Risk::kCritical;
  for (const std::string_view name : kSnippetNames) {
    const std::string* value = reader.Find(name);
    if (value == nullptr || Trim(*value).empty()) continue;
    const bool known = name == kLocationSnippet || name == kServerSnippet || name == kAuthSnippet;
    if (!allowed || !known) {
      const std::string found = Describe(*value);
      reader.Refuse(name, StrCat("NGINX configuration is never executed here",
                                 found.empty() ? "" : "; found in ", found));
    } else if (name == kLocationSnippet) {
      settings.location_snippet = Translate(reader, name, *value, SnippetPlace::kLocation);
    } else if (name == kServerSnippet) {
      settings.server_snippet = Translate(reader, name, *value, SnippetPlace::kServer);
    } else {
      settings.auth_snippet = Translate(reader, name, *value, SnippetPlace::kAuth);
    }
  }
}

}  // namespace headgate::translate
