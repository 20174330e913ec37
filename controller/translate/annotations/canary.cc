#include "controller/translate/annotations/canary.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/strings/ascii.h"
#include "common/regex.h"
#include "common/strings.h"
#include "controller/translate/annotations/values.h"

namespace headgate::translate {
namespace {

constexpr int64_t kMost = std::numeric_limits<int32_t>::max();

bool IsName(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.' || c == '_' ||
           c == '~';
  });
}

bool IsBasic(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           std::string_view("-._~/:").find(c) != std::string_view::npos;
  });
}

std::string ReadText(AnnotationReader& reader, std::string_view name,
                     bool (*accepts)(std::string_view), std::string_view accepted) {
  const std::string* value = reader.Find(name);
  const std::string_view text = value == nullptr ? std::string_view() : Trim(*value);
  if (text.empty() || accepts(text)) return std::string(text);
  reader.Ignore(name, accepted);
  return {};
}

int64_t ReadNumber(AnnotationReader& reader, std::string_view name, int64_t otherwise) {
  const std::string* value = reader.Find(name);
  if (value == nullptr) return otherwise;
  const auto number = ParseInt(*value);
  if (!number) reader.Ignore(name, "a whole number");
  return number ? std::clamp<int64_t>(*number, 0, kMost) : otherwise;
}

}  // namespace

void ReadCanary(AnnotationReader& reader, IngressSettings& settings) {
  if (!reader.Bool("canary").value_or(false)) return;
  CanarySettings canary;
  canary.weight_total =
      static_cast<uint32_t>(std::max<int64_t>(ReadNumber(reader, "canary-weight-total", 100), 100));
  const int64_t weight = ReadNumber(reader, "canary-weight", 0);
  canary.weight = static_cast<uint32_t>(std::min<int64_t>(weight, canary.weight_total));
  canary.header = ReadText(reader, "canary-by-header", IsName, "the name of a header");
  canary.cookie = ReadText(reader, "canary-by-cookie", IsName, "the name of a cookie");
  canary.header_value =
      ReadText(reader, "canary-by-header-value", IsBasic, "letters, digits and - . _ ~ / :");
  if (const std::string* pattern = reader.Find("canary-by-header-pattern");
      pattern != nullptr && canary.header_value.empty()) {
    canary.header_pattern = std::string(Trim(*pattern));
    std::string error;
    if (Regex::Compile(canary.header_pattern, Regex::Anchor::kNone, Regex::Case::kSensitive,
                       &error) == nullptr) {
      reader.Warn("canary-by-header-pattern", StrCat(QuoteValue(*pattern),
                                                     " is no regular expression; requests with "
                                                     "the header stay with the main Ingress"));
    }
  }
  settings.headers.canary = std::move(canary);
}

}  // namespace headgate::translate
