#include "dataplane/observe/trace_context.h"

#include <algorithm>
#include <span>

namespace headgate::observe {
namespace {

constexpr size_t kMaxMembers = 32;
constexpr size_t kMaxTracestate = 512;
constexpr size_t kMaxKey = 256;
constexpr size_t kMaxValue = 256;

// -1: no digit of lower-case hexadecimal.
int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool ReadHex(std::string_view text, std::span<uint8_t> out) {
  for (size_t i = 0; i < out.size(); ++i) {
    const int high = HexDigit(text[2 * i]);
    const int low = HexDigit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<uint8_t>(high * 16 + low);
  }
  return true;
}

char* WriteHex(std::span<const uint8_t> bytes, char* out) {
  for (const uint8_t byte : bytes) {
    *out++ = "0123456789abcdef"[byte >> 4];
    *out++ = "0123456789abcdef"[byte & 15];
  }
  return out;
}

bool AllZero(std::span<const uint8_t> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](uint8_t byte) { return byte == 0; });
}

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Section 3.3.1.3.1; the two forms, with and without a tenant before '@', as level 2 has made them
// one.
bool IsKey(std::string_view key) {
  if (key.empty() || key.size() > kMaxKey || !(IsLower(key[0]) || IsDigit(key[0]))) return false;
  return std::all_of(key.begin(), key.end(), [](char c) {
    return IsLower(c) || IsDigit(c) || c == '_' || c == '-' || c == '*' || c == '/' || c == '@';
  });
}

// Printable ASCII but for ',' and '=', and no blank at the end.
bool IsValue(std::string_view value) {
  if (value.empty() || value.size() > kMaxValue || value.back() == ' ') return false;
  return std::all_of(value.begin(), value.end(),
                     [](char c) { return c >= 0x20 && c <= 0x7e && c != ',' && c != '='; });
}

std::string_view TrimBlanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

}  // namespace

std::optional<TraceContext> ParseTraceparent(std::string_view text) {
  if (text.size() < kTraceparentSize || text[2] != '-' || text[35] != '-' || text[52] != '-')
    return std::nullopt;
  uint8_t version = 0;
  uint8_t flags = 0;
  TraceContext context;
  if (!ReadHex(text, {&version, 1}) || !ReadHex(text.substr(3), context.trace_id) ||
      !ReadHex(text.substr(36), context.span_id) || !ReadHex(text.substr(53), {&flags, 1})) {
    return std::nullopt;
  }
  if (version == 0xff || AllZero(context.trace_id) || AllZero(context.span_id)) return std::nullopt;
  // Version 00 ends here; others may go on after a dash.
  if (text.size() > kTraceparentSize && (version == 0 || text[kTraceparentSize] != '-'))
    return std::nullopt;
  context.sampled = (flags & 1) != 0;
  return context;
}

void WriteTraceparent(const TraceContext& context, char* out) {
  *out++ = '0';
  *out++ = '0';
  *out++ = '-';
  out = WriteHex(context.trace_id, out);
  *out++ = '-';
  out = WriteHex(context.span_id, out);
  *out++ = '-';
  *out++ = '0';
  *out = context.sampled ? '1' : '0';
}

bool IsTracestate(std::string_view text) {
  if (text.size() > kMaxTracestate) return false;
  std::array<std::string_view, kMaxMembers> keys;
  size_t count = 0;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    const std::string_view member = TrimBlanks(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    if (member.empty()) continue;  // allowed
    const size_t equals = member.find('=');
    if (equals == std::string_view::npos || count == kMaxMembers) return false;
    const std::string_view key = member.substr(0, equals);
    if (!IsKey(key) || !IsValue(member.substr(equals + 1))) return false;
    if (std::find(keys.begin(), keys.begin() + count, key) != keys.begin() + count) return false;
    keys[count++] = key;
  }
  return count > 0;
}

}  // namespace headgate::observe
