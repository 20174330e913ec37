#include "controller/translate/annotations/redirect.h"

#include <cstdint>

#include "controller/translate/annotations/values.h"

namespace headgate::translate {
namespace {

// The status to answer with: `otherwise` unless the annotation holds a number within the range.
uint16_t ReadCode(AnnotationReader& reader, std::string_view name, uint16_t otherwise,
                  uint16_t highest) {
  const std::string* value = reader.Find(name);
  if (value == nullptr) return otherwise;
  const std::optional<int64_t> code = ParseInt(*value);
  if (!code) {
    reader.RefuseValue(name, "a number");
    return otherwise;
  }
  return *code >= 300 && *code <= highest ? static_cast<uint16_t>(*code) : otherwise;
}

// The URL of `name`, or nothing when it is not set or bad.
std::optional<std::string> ReadUrl(AnnotationReader& reader, std::string_view name) {
  const std::string* value = reader.Find(name);
  if (value == nullptr) return std::nullopt;
  const std::string_view url = Trim(*value);
  if (url.empty()) return std::nullopt;  // as if it were not there
  const bool blank_inside = url.find_first_of(" \t\r\n") != std::string_view::npos;
  const bool absolute = url.starts_with("http://") || url.starts_with("https://");
  if (!IsUrlText(url) || blank_inside || !(absolute || url.starts_with('/'))) {
    reader.RefuseValue(name, "an http or https URL, or a path that starts with /");
    return std::nullopt;
  }
  return std::string(url);
}

}  // namespace

void ReadRedirect(AnnotationReader& reader, IngressSettings& settings) {
  if (const std::string* relative = reader.Find("relative-redirects")) {
    settings.relative_redirects = ParseBool(*relative);
    if (!settings.relative_redirects) reader.RefuseValue("relative-redirects", "true or false");
  }
  settings.port_in_https_redirects = reader.Bool("use-port-in-redirects");
  const uint16_t permanent_code = ReadCode(reader, kRedirectNames[1], 301, 308);
  const uint16_t temporal_code = ReadCode(reader, kRedirectNames[3], 302, 307);
  std::optional<std::string> permanent = ReadUrl(reader, kRedirectNames[0]);
  std::optional<std::string> temporal = ReadUrl(reader, kRedirectNames[2]);
  if (temporal && !temporal->starts_with("http")) {
    reader.RefuseValue(kRedirectNames[2], "an http or https URL");
  } else if (temporal) {
    settings.redirect = RedirectTo{*std::move(temporal), temporal_code};
  } else if (permanent) {
    settings.redirect = RedirectTo{*std::move(permanent), permanent_code};
  }
}

}  // namespace headgate::translate
