#include "controller/translate/path_match.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/ascii.h"
#include "common/regex.h"
#include "re2/re2.h"
#include "re2/stringpiece.h"

namespace headgate::translate {
namespace {

// As the data plane's.
constexpr size_t kMaxPathBytes = 8 * 1024;
constexpr size_t kMaxPatternBytes = 4 * 1024;

}  // namespace

bool IsServable(std::string_view path) {
  const auto is_control = [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); };
  return path.size() <= kMaxPathBytes && (path.empty() || path.starts_with('/')) &&
         std::none_of(path.begin(), path.end(), is_control);
}

bool Rewrites(const IngressSettings& settings, std::string_view path) {
  return !settings.rewrite_target.empty() && settings.rewrite_target != path;
}

bool IsRegex(const IngressSettings& settings, std::string_view path) {
  return settings.use_regex || Rewrites(settings, path);
}

PatternForm FormOf(std::string_view text) {
  if (text.size() > kMaxPatternBytes) return PatternForm::kNone;
  std::string error;
  const auto regex = Regex::Compile(text, Regex::Anchor::kStart, Regex::Case::kIgnored, &error);
  if (regex == nullptr) return PatternForm::kNone;
  return regex->backtracks() ? PatternForm::kBacktracking : PatternForm::kLinear;
}

std::string QuotePattern(std::string_view text) {
  return re2::RE2::QuoteMeta(re2::StringPiece(text.data(), text.size()));
}

bool TriedBefore(std::string_view a, std::string_view b) {
  return a.size() != b.size() ? a.size() > b.size() : a > b;
}

}  // namespace headgate::translate
