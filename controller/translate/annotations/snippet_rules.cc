#include "controller/translate/annotations/snippet_rules.h"

#include <optional>
#include <span>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/regex.h"
#include "common/strings.h"
#include "controller/translate/annotations/nginx_syntax.h"
#include "controller/translate/annotations/values.h"
#include "controller/translate/header_names.h"
#include "controller/translate/text_template.h"

namespace headgate::translate {
namespace {

using Conditions = google::protobuf::RepeatedPtrField<v1::Condition>;
using Words = std::span<const std::string>;

// With these add_header takes effect unless it says "always".
constexpr uint32_t kAddHeaderStatuses[] = {200, 201, 204, 206, 301, 302, 303, 304, 307, 308};

class Translation {
 public:
  explicit Translation(SnippetPlace place) : place_(place) {}

  void Take(const std::vector<NginxDirective>& directives) {
    std::string type;
    for (const NginxDirective& directive : directives) {
      if (directive.name() == "default_type" && directive.words.size() == 2)
        type = directive.words[1];
    }
    TakeBlock(directives, {}, type);
  }

  SnippetResult result;

 private:
  void TakeBlock(const std::vector<NginxDirective>& directives, const Conditions& when,
                 const std::string& type) {
    for (const NginxDirective& directive : directives) {
      line_ = directive.line;
      TakeDirective(directive, when, type);
    }
  }

  void TakeDirective(const NginxDirective& directive, const Conditions& when,
                     const std::string& type) {
    const std::string& name = directive.name();
    const Words words = Words(directive.words).subspan(1);
    const bool inner = !when.empty();
    if (directive.has_block && name != "if") return Refuse(name);
    if (name == "proxy_set_header" ||
        (name == "grpc_set_header" && place_ != SnippetPlace::kAuth)) {
      return SetRequestField(name, words, when);
    }
    if (place_ == SnippetPlace::kAuth) return Refuse(name);
    if (name == "if") return inner ? Refuse(name) : TakeIf(directive, type);
    if (name == "add_header") return AddHeader(words, when);
    if (name == "more_set_headers")
      return MoreHeaders(name, words, when, /*clear=*/false, /*of_request=*/false);
    if (name == "more_clear_headers")
      return MoreHeaders(name, words, when, /*clear=*/true, /*of_request=*/false);
    if (name == "more_set_input_headers")
      return MoreHeaders(name, words, when, /*clear=*/false, /*of_request=*/true);
    if (name == "more_clear_input_headers")
      return MoreHeaders(name, words, when, /*clear=*/true, /*of_request=*/true);
    if (name == "proxy_hide_header" && !inner) return Hide(words);
    if (name == "default_type" && !inner) return CheckType(words);
    if (name == "return") return Return(words, when, type);
    if (name == "proxy_http_version" && words.size() == 1 && words[0] == "1.1")
      return NoteNeedless(name);
    Refuse(name);
  }

  // --- fields ---

  void SetRequestField(const std::string& directive, Words words, const Conditions& when) {
    if (words.size() != 2) return Complain(directive, "accepted: NAME VALUE");
    const std::string& name = words[0];
    if (place_ == SnippetPlace::kServer) {
      return Note(StrCat(directive,
                         " has no effect in a server-snippet, as in ingress-nginx, where locations "
                         "have their own"));
    }
    // Upgrades are passed on whatever a snippet says.
    const bool upgrade = absl::EqualsIgnoreCase(name, "upgrade") && words[1] == "$http_upgrade";
    const bool connection = absl::EqualsIgnoreCase(name, "connection") &&
                            (absl::EqualsIgnoreCase(words[1], "upgrade") ||
                             words[1] == "$connection_upgrade" || words[1] == "$http_connection");
    if (upgrade || connection) return NoteNeedless(StrCat(directive, " ", name));
    PutRequestField(directive, name, words[1], when);
  }

  void PutRequestField(const std::string& directive, std::string_view name, std::string_view value,
                       const Conditions& when) {
    const auto text = Template(directive, value, /*of_response=*/false);
    if (!text) return;
    if (absl::EqualsIgnoreCase(ToAbsl(name), "host")) {
      if (!when.empty()) return Complain(directive, "Host cannot depend on a condition");
      if (place_ == SnippetPlace::kAuth) return Complain(directive, "Host is that of auth-url");
      *result.policy.mutable_request_headers()->mutable_host() = *text;
      return;
    }
    v1::HeaderEdit edit;
    if (!SetName(directive, name, edit)) return;
    if (!text->parts().empty()) *edit.mutable_value() = *text;
    *edit.mutable_when() = when;
    *result.policy.mutable_request_headers()->add_edits() = std::move(edit);
  }

  void AddHeader(Words words, const Conditions& when) {
    constexpr const char* kName = "add_header";
    const bool always = words.size() == 3 && words[2] == "always";
    if (words.size() != 2 && !always) return Complain(kName, "accepted: NAME VALUE [always]");
    const auto text = Template(kName, words[1], /*of_response=*/true);
    v1::HeaderEdit edit;
    if (!text || !SetName(kName, words[0], edit)) return;
    if (text->parts().empty()) return;  // NGINX adds no field without a value
    *edit.mutable_value() = *text;
    *edit.mutable_when() = when;
    edit.set_append(true);
    if (!always)
      edit.mutable_statuses()->Add(std::begin(kAddHeaderStatuses), std::end(kAddHeaderStatuses));
    *result.policy.mutable_response_headers()->add_edits() = std::move(edit);
  }

  void MoreHeaders(const std::string& directive, Words words, const Conditions& when, bool clear,
                   bool of_request) {
    std::vector<uint32_t> statuses;
    while (!words.empty() && words.front().starts_with('-')) {
      const bool read = !of_request && words.front() == "-s" && words.size() > 1 &&
                        ReadStatuses(words[1], statuses);
      if (!read)
        return Complain(directive, of_request ? "options are not supported"
                                              : "accepted: -s 'STATUS ...' and fields");
      words = words.subspan(2);
    }
    if (words.empty()) return Complain(directive, "names no field");
    for (const std::string& field : words) {
      const size_t colon = clear ? std::string::npos : field.find(':');
      const std::string_view name = Trim(std::string_view(field).substr(0, colon));
      const std::string_view value = colon == std::string::npos
                                         ? std::string_view()
                                         : Trim(std::string_view(field).substr(colon + 1));
      if (of_request) {
        PutRequestField(directive, name, value, when);
      } else {
        PutResponseField(directive, name, value, statuses, when);
      }
    }
  }

  void PutResponseField(const std::string& directive, std::string_view name, std::string_view value,
                        const std::vector<uint32_t>& statuses, const Conditions& when) {
    const auto text = Template(directive, value, /*of_response=*/true);
    v1::HeaderEdit edit;
    if (!text || !SetName(directive, name, edit)) return;
    if (!text->parts().empty()) *edit.mutable_value() = *text;
    *edit.mutable_when() = when;
    edit.mutable_statuses()->Add(statuses.begin(), statuses.end());
    *result.policy.mutable_response_headers()->add_edits() = std::move(edit);
  }

  void Hide(Words words) {
    constexpr const char* kName = "proxy_hide_header";
    v1::HeaderEdit edit;
    if (words.size() != 1) return Complain(kName, "accepted: NAME");
    if (SetName(kName, words[0], edit))
      result.policy.mutable_response_headers()->add_hidden(words[0]);
  }

  static bool ReadStatuses(const std::string& text, std::vector<uint32_t>& out) {
    for (const absl::string_view word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
      uint32_t status = 0;
      if (word.size() != 3 || !absl::SimpleAtoi(word, &status) || status < 200 || status > 599)
        return false;
      out.push_back(status);
    }
    return !out.empty();
  }

  bool SetName(const std::string& directive, std::string_view name, v1::HeaderEdit& out) {
    // With '*' more_clear_headers takes all that begin so.
    if (!MayBeEdited(name) || name.find('*') != std::string_view::npos) {
      Complain(directive, StrCat(QuoteValue(name), " is not ", kEditableHeaders));
      return false;
    }
    out.set_name(std::string(name));
    return true;
  }

  // --- answers ---

  void CheckType(Words words) {
    if (words.size() != 1 || !IsPrintable(words[0]))
      Complain("default_type", "accepted: a media type");
  }

  void Return(Words words, const Conditions& when, const std::string& type) {
    constexpr const char* kName = "return";
    constexpr const char* kAccepted =
        "accepted: a status from 200 to 599, but 444 and 499, perhaps with a text or a URL; or a "
        "URL";
    v1::ConditionalReply reply;
    *reply.mutable_when() = when;
    uint32_t status = 0;
    const bool has_status =
        !words.empty() && words[0].size() == 3 && absl::SimpleAtoi(words[0], &status);
    if (words.empty() || words.size() > 2 || (!has_status && words.size() != 1))
      return Complain(kName, kAccepted);
    if (!has_status) status = 302;
    if (status < 200 || status > 599 || status == 444 || status == 499)
      return Complain(kName, kAccepted);
    reply.set_status(status);
    const std::string* argument = has_status && words.size() == 1 ? nullptr : &words.back();
    const bool redirect =
        status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
    if (redirect) {
      if (argument == nullptr || !IsLocation(*argument)) {
        return Complain(kName,
                        "accepted: a redirect to a URL with http, https or $scheme, or to a path");
      }
      const auto location = Template(kName, *argument, /*of_response=*/false);
      if (!location) return;
      *reply.mutable_location() = *location;
    } else if (argument != nullptr) {
      const auto text = Template(kName, *argument, /*of_response=*/false, /*of_body=*/true);
      if (!text) return;
      *reply.mutable_text() = *text;
      reply.set_content_type(type);
    } else if (status < 300) {
      reply.mutable_text();  // no body, as NGINX has it
    }
    *result.policy.add_replies() = std::move(reply);
  }

  static bool IsLocation(std::string_view text) {
    return text.starts_with('/') || text.starts_with("http://") || text.starts_with("https://") ||
           text.starts_with("$scheme://") || text.starts_with("${scheme}://");
  }

  // --- conditions ---

  void TakeIf(const NginxDirective& directive, const std::string& type) {
    std::vector<std::string> words(directive.words.begin() + 1, directive.words.end());
    const bool closed =
        !words.empty() && words.front().starts_with('(') && words.back().ends_with(')');
    if (!directive.has_block || !closed) return Complain("if", "accepted: ( CONDITION ) { ... }");
    words.front().erase(0, 1);
    words.back().pop_back();
    if (words.front().empty()) words.erase(words.begin());
    if (!words.empty() && words.back().empty()) words.pop_back();
    Conditions when;
    if (ReadCondition(words, when)) TakeBlock(directive.block, when, type);
  }

  bool ReadCondition(const std::vector<std::string>& words, Conditions& out) {
    constexpr const char* kAccepted =
        "accepted: a variable, perhaps with = != ~ ~* !~ or !~* and a text without variables";
    const auto bad = [&](std::string_view why) {
      Complain("if", why);
      return false;
    };
    if (words.size() != 1 && words.size() != 3) return bad(kAccepted);
    const auto subject = words[0].starts_with('$') ? ParseTemplate(words[0]) : std::nullopt;
    if (!subject) return bad(kAccepted);
    if (!subject->unknown.empty())
      return bad(StrCat("the variable $", subject->unknown.front(), " is not known here"));
    if (subject->text.parts_size() != 1 || !subject->text.parts(0).has_variable())
      return bad(kAccepted);
    if (words.size() == 1) {
      // Neither nothing nor "0".
      for (const char* text : {"", "0"}) {
        v1::Condition& condition = *out.Add();
        *condition.mutable_subject() = subject->text;
        condition.set_exact(text);
        condition.set_negated(true);
      }
      return true;
    }
    std::string_view op = words[1];
    v1::Condition& condition = *out.Add();
    *condition.mutable_subject() = subject->text;
    condition.set_negated(op.starts_with('!'));
    if (condition.negated()) op.remove_prefix(1);
    const std::string& value = words[2];
    if (op == "=") {
      if (value.find('$') != std::string::npos) return bad(kAccepted);
      condition.set_exact(value);
      return true;
    }
    if (op != "~" && op != "~*") return bad(kAccepted);
    const auto letters = op == "~" ? Regex::Case::kSensitive : Regex::Case::kIgnored;
    std::string error;
    if (Regex::Compile(value, Regex::Anchor::kNone, letters, &error) == nullptr) {
      return bad(StrCat(QuoteValue(value), " is no regular expression: ", error));
    }
    if (op == "~") {
      condition.set_regex(value);
    } else {
      condition.set_ignore_case_regex(value);
    }
    return true;
  }

  // --- what is common ---

  // Nothing, with a problem, for what cannot be said here.
  std::optional<v1::TextTemplate> Template(const std::string& directive, std::string_view value,
                                           bool of_response, bool of_body = false) {
    const bool fits = of_body || IsPrintable(value);
    auto parsed = fits ? ParseTemplate(value, of_response) : std::nullopt;
    if (!parsed) {
      Complain(directive, StrCat(QuoteValue(value),
                                 " is not printable text, perhaps with variables as $host"));
      return std::nullopt;
    }
    if (!parsed->unknown.empty()) {
      Complain(directive, StrCat("the variable $", parsed->unknown.front(), " is not known here"));
      return std::nullopt;
    }
    return std::move(parsed->text);
  }

  void Refuse(const std::string& name) {
    constexpr size_t kMaxNameBytes = 40;
    Complain(name.substr(0, kMaxNameBytes), StrCat("here: ", InsteadOfDirective(name)));
  }
  void Complain(const std::string& directive, std::string_view why) {
    result.problems.push_back(StrCat("line ", line_, ": ", directive, " (", why, ")"));
  }
  void Note(const std::string& what) { result.notes.push_back(StrCat("line ", line_, ": ", what)); }
  void NoteNeedless(const std::string& what) {
    Note(StrCat(what, " is needless: upgrades are passed on"));
  }

  const SnippetPlace place_;
  size_t line_ = 1;
};

}  // namespace

SnippetResult TranslateSnippet(std::string_view text, SnippetPlace place) {
  NginxText parsed = ParseNginx(text);
  Translation translation(place);
  translation.Take(parsed.directives);
  if (!parsed.problem.empty()) translation.result.problems.push_back(std::move(parsed.problem));
  return std::move(translation.result);
}

}  // namespace headgate::translate
