#include "controller/translate/annotations/values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "absl/strings/escaping.h"
#include "common/strings.h"

namespace headgate::translate {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::optional<absl::Duration> UnitOf(std::string_view unit) {
  if (unit == "ms") return absl::Milliseconds(1);
  if (unit == "s" || unit.empty()) return absl::Seconds(1);
  if (unit == "m") return absl::Minutes(1);
  if (unit == "h") return absl::Hours(1);
  if (unit == "d") return absl::Hours(24);
  if (unit == "w") return absl::Hours(24 * 7);
  if (unit == "M") return absl::Hours(24 * 30);
  if (unit == "y") return absl::Hours(24 * 365);
  return std::nullopt;
}

}  // namespace

std::optional<bool> ParseBool(std::string_view text) {
  constexpr std::array<std::string_view, 6> kTrue = {"1", "t", "T", "TRUE", "true", "True"};
  constexpr std::array<std::string_view, 6> kFalse = {"0", "f", "F", "FALSE", "false", "False"};
  if (std::find(kTrue.begin(), kTrue.end(), text) != kTrue.end()) return true;
  if (std::find(kFalse.begin(), kFalse.end(), text) != kFalse.end()) return false;
  return std::nullopt;
}

std::optional<bool> ParseOnOff(std::string_view text) {
  if (text == "on") return true;
  if (text == "off") return false;
  return std::nullopt;
}

std::optional<int64_t> ParseInt(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<uint64_t> ParseSize(std::string_view text) {
  uint64_t value = 0;
  const char* const last = text.data() + text.size();
  if (text.empty() || !IsDigit(text.front())) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (error != std::errc()) return std::nullopt;
  int shift = 0;
  if (end != last) {
    if (end + 1 != last) return std::nullopt;
    switch (*end) {
      case 'k':
      case 'K': shift = 10; break;
      case 'm':
      case 'M': shift = 20; break;
      case 'g':
      case 'G': shift = 30; break;
      default: return std::nullopt;
    }
  }
  if (value > std::numeric_limits<uint64_t>::max() >> shift) return std::nullopt;
  return value << shift;
}

std::optional<absl::Duration> ParseDuration(std::string_view text) {
  // Far more than a time limit can be, and far less than what overflows.
  constexpr uint32_t kMost = std::numeric_limits<int32_t>::max();
  if (text.empty()) return std::nullopt;
  absl::Duration sum;
  while (!text.empty()) {
    const size_t digits = std::find_if_not(text.begin(), text.end(), IsDigit) - text.begin();
    uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + digits, value);
    if (digits == 0 || error != std::errc() || value > kMost) return std::nullopt;
    text.remove_prefix(digits);
    const size_t letters = std::find_if(text.begin(), text.end(), IsDigit) - text.begin();
    const std::optional<absl::Duration> unit = UnitOf(text.substr(0, letters));
    if (!unit) return std::nullopt;
    text.remove_prefix(letters);
    sum += value * *unit;
  }
  return sum;
}

std::vector<std::string_view> SplitList(std::string_view text) {
  std::vector<std::string_view> items;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    const std::string_view item = Trim(text.substr(0, comma));
    if (!item.empty()) items.push_back(item);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return items;
}

bool IsPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

std::optional<kube::ObjectKey> ParseReference(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view ns = text.substr(0, slash);
  const std::string_view name = text.substr(slash + 1);
  if (ns.empty() || name.empty() || name.find('/') != std::string_view::npos) return std::nullopt;
  return kube::ObjectKey{std::string(ns), std::string(name)};
}

std::string QuoteValue(std::string_view value) {
  constexpr size_t kMost = 80;
  // A message is one line, whatever is in the value.
  const auto escaped = [](std::string_view text) { return absl::Utf8SafeCEscape(ToAbsl(text)); };
  if (value.size() <= kMost) return StrCat("\"", escaped(value), "\"");
  return StrCat("\"", escaped(value.substr(0, kMost)), "...\"");
}

bool IsUrlText(std::string_view text) {
  constexpr std::string_view kMarks = "-._~/:,?&=";
  return !Trim(text).empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return IsLetter(c) || IsDigit(c) || IsBlank(c) || kMarks.find(c) != kMarks.npos;
  });
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace headgate::translate
