#include "controller/translate/annotations/cors.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "common/strings.h"
#include "controller/translate/annotations/values.h"

namespace headgate::translate {
namespace {

constexpr std::string_view kOrigin = "cors-allow-origin";
constexpr std::string_view kMethods = "GET, PUT, POST, DELETE, PATCH, OPTIONS";
constexpr std::string_view kHeaders =
    "DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,"
    "Authorization";
constexpr std::string_view kScheme = "://";

bool IsLetter(char c) { return absl::ascii_isalpha(static_cast<unsigned char>(c)); }
bool IsAlnum(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)); }

bool All(std::string_view text, bool (*is)(char)) {
  return std::all_of(text.begin(), text.end(), is);
}

bool IsScheme(std::string_view text) {
  return !text.empty() && absl::ascii_islower(static_cast<unsigned char>(text.front())) &&
         All(text, [](char c) {
           return absl::ascii_islower(static_cast<unsigned char>(c)) ||
                  absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '+' || c == '-' ||
                  c == '.';
         });
}

// "[*.]host[:port]".
bool IsHostAndPort(std::string_view text) {
  if (text.starts_with("*.")) text.remove_prefix(2);
  const size_t colon = text.rfind(':');
  if (colon != std::string_view::npos) {
    const std::string_view port = text.substr(colon + 1);
    if (port.empty() || port.size() > 5 || !All(port, [](char c) {
          return absl::ascii_isdigit(static_cast<unsigned char>(c)) != 0;
        })) {
      return false;
    }
    text = text.substr(0, colon);
  }
  return !text.empty() &&
         All(text, [](char c) { return IsAlnum(c) || c == '-' || c == '.' || c == '_'; });
}

// The origins of a list; empty when none of them can fit any. False: the list is bad.
bool ReadOrigins(AnnotationReader& reader, std::string_view list, std::vector<std::string>& out) {
  bool any = false;
  std::string skipped;
  for (const std::string_view item : SplitList(list)) {
    const size_t scheme = item.find(kScheme);
    if (item == "*") {
      any = true;
    } else if (item == "null") {
      out.emplace_back(item);
    } else if (scheme == std::string_view::npos) {
      if (!IsHostAndPort(item)) return false;
      StrAppend(&skipped, skipped.empty() ? "" : ", ", item);
    } else if (IsScheme(item.substr(0, scheme)) &&
               IsHostAndPort(item.substr(scheme + kScheme.size()))) {
      out.push_back(absl::AsciiStrToLower(ToAbsl(item)));
    } else {
      return false;
    }
  }
  if (any) out = {"*"};
  if (!any && !skipped.empty())
    reader.Warn(kOrigin, StrCat("without scheme and without effect: ", skipped));
  return true;
}

// The text of an annotation if all its characters are right, else `otherwise`.
std::string ReadText(AnnotationReader& reader, std::string_view name, std::string_view otherwise,
                     bool (*is)(char), std::string_view accepted) {
  const std::string* value = reader.Find(name);
  const std::string_view text = value == nullptr ? std::string_view() : Trim(*value);
  if (text.empty()) return std::string(otherwise);
  if (All(text, is)) return std::string(text);
  reader.Ignore(name, accepted);
  return std::string(otherwise);
}

bool IsHeaderChar(char c) { return IsAlnum(c) || c == '-' || c == '_' || c == ',' || c == ' '; }

}  // namespace

void ReadCors(AnnotationReader& reader, IngressSettings& settings) {
  const bool enabled = reader.Bool("enable-cors").value_or(false);
  CorsSettings cors;
  cors.allow_methods = ReadText(
      reader, "cors-allow-methods", kMethods,
      [](char c) { return IsLetter(c) || c == ',' || c == ' '; }, "methods, separated by commas");
  cors.allow_headers = ReadText(reader, "cors-allow-headers", kHeaders, IsHeaderChar,
                                "header names, separated by commas");
  cors.expose_headers = ReadText(
      reader, "cors-expose-headers", "", [](char c) { return IsHeaderChar(c) || c == '*'; },
      "header names, separated by commas, or *");
  cors.allow_credentials = reader.Bool("cors-allow-credentials").value_or(true);
  cors.max_age = 1'728'000;
  if (const std::string* value = reader.Find("cors-max-age")) {
    if (const auto seconds = ParseInt(*value)) {
      cors.max_age = *seconds;
    } else {
      reader.Ignore("cors-max-age", "seconds");
    }
  }
  if (!enabled) return;
  const std::string* value = reader.Find(kOrigin);
  if (value == nullptr || Trim(*value).empty()) {
    cors.origins = {"*"};
  } else if (!ReadOrigins(reader, *value, cors.origins)) {
    return reader.Deny(
        kOrigin,
        StrCat(QuoteValue(*value),
               " is not valid, accepted: *, null and origins as https://*.example.com:8443"));
  }
  if (!cors.origins.empty()) settings.headers.cors = std::move(cors);
}

}  // namespace headgate::translate
