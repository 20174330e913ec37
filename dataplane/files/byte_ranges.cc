#include "dataplane/files/byte_ranges.h"

#include <algorithm>
#include <charconv>

#include "dataplane/http/header_map.h"

namespace headgate::files {
namespace {

std::string_view TrimBlanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Digits only. A number beyond 64 bits is one beyond every representation.
bool ParsePosition(std::string_view text, uint64_t& value) {
  if (text.empty()) return false;
  if (!std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) value = UINT64_MAX;
  return true;
}

enum class Spec : uint8_t { kBad, kOutside, kInside };

Spec ParseSpec(std::string_view text, uint64_t size, ByteRange& range) {
  const size_t dash = text.find('-');
  if (dash == std::string_view::npos) return Spec::kBad;
  const std::string_view first_text = text.substr(0, dash);
  const std::string_view last_text = text.substr(dash + 1);
  uint64_t first = 0;
  uint64_t last = UINT64_MAX;
  if (first_text.empty()) {
    uint64_t suffix = 0;
    if (!ParsePosition(last_text, suffix)) return Spec::kBad;
    if (suffix == 0 || size == 0) return Spec::kOutside;
    range.size = std::min(suffix, size);
    range.first = size - range.size;
    return Spec::kInside;
  }
  if (!ParsePosition(first_text, first)) return Spec::kBad;
  if (!last_text.empty() && !ParsePosition(last_text, last)) return Spec::kBad;
  if (last < first) return Spec::kBad;
  if (first >= size) return Spec::kOutside;
  range.first = first;
  range.size = std::min(last, size - 1) - first + 1;
  return Spec::kInside;
}

}  // namespace

ByteRanges ParseByteRanges(std::string_view field, uint64_t size) {
  constexpr std::string_view kUnit = "bytes";
  ByteRanges result;
  if (field.size() <= kUnit.size() || field[kUnit.size()] != '=' ||
      !http::EqualsIgnoreCase(field.substr(0, kUnit.size()), kUnit)) {
    return result;
  }
  field.remove_prefix(kUnit.size() + 1);
  bool any = false;
  size_t specs = 0;
  uint64_t sum = 0;
  while (true) {
    const size_t comma = field.find(',');
    const std::string_view spec = TrimBlanks(field.substr(0, comma));
    if (!spec.empty()) {  // empty elements of a list are passed over (RFC 9110 section 5.6.1)
      any = true;
      if (++specs > ByteRanges::kMost) return result;
      ByteRange range;
      switch (ParseSpec(spec, size, range)) {
        case Spec::kBad: return result;
        case Spec::kOutside: break;
        case Spec::kInside:
          result.ranges[result.count++] = range;
          sum += range.size;
          break;
      }
    }
    if (comma == std::string_view::npos) break;
    field.remove_prefix(comma + 1);
  }
  if (!any) return result;
  if (result.count == 0) {
    result.kind = ByteRanges::Kind::kUnsatisfiable;
  } else if (result.count == 1 || sum <= size) {
    result.kind = ByteRanges::Kind::kRanges;
  }
  return result;
}

}  // namespace headgate::files
