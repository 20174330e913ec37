#include "common/text.h"

#include <cstdint>
#include <cstring>

namespace headgate {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Length of the well-formed UTF-8 sequence at the start of `text`, 0 if there is none.
size_t SequenceLength(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  auto continues = [&](size_t i) { return i < text.size() && (byte(i) & 0xC0) == 0x80; };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return continues(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (!continues(1) || !continues(2)) return 0;
    if (lead == 0xE0 && byte(1) < 0xA0) return 0;   // overlong
    if (lead == 0xED && byte(1) >= 0xA0) return 0;  // surrogate
    return 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    if (lead == 0xF0 && byte(1) < 0x90) return 0;   // overlong
    if (lead == 0xF4 && byte(1) >= 0x90) return 0;  // beyond U+10FFFF
    return 4;
  }
  return 0;
}

// Calls `put` for one piece after the other of the inside of a JSON string.
template <typename Put>
void EscapeJson(std::string_view text, Put put) {
  static constexpr char kHex[] = "0123456789abcdef";
  while (!text.empty()) {
    const size_t length = SequenceLength(text);
    const char c = text[0];
    if (length != 1) {
      put(length == 0 ? kReplacement : text.substr(0, length));
    } else if (c == '"' || c == '\\') {
      const char escape[] = {'\\', c};
      put(std::string_view(escape, sizeof(escape)));
    } else if (c == '\n') {
      put("\\n");
    } else if (c == '\t') {
      put("\\t");
    } else if (c == '\r') {
      put("\\r");
    } else if (static_cast<uint8_t>(c) < 0x20 || c == 0x7F) {
      const char escape[] = {'\\',         'u', '0', '0', kHex[static_cast<uint8_t>(c) >> 4],
                             kHex[c & 0xF]};
      put(std::string_view(escape, sizeof(escape)));
    } else {
      put(text.substr(0, 1));
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
}

}  // namespace

bool IsValidUtf8(std::string_view text) {
  while (!text.empty()) {
    const size_t length = SequenceLength(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

void AppendUtf8(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const size_t length = SequenceLength(text);
    out.append(length == 0 ? kReplacement : text.substr(0, length));
    text.remove_prefix(length == 0 ? 1 : length);
  }
}

void AppendJsonEscaped(std::string& out, std::string_view text) {
  EscapeJson(text, [&out](std::string_view piece) { out.append(piece); });
}

char* WriteJsonEscaped(std::string_view text, char* out) {
  EscapeJson(text, [&out](std::string_view piece) {
    std::memcpy(out, piece.data(), piece.size());
    out += piece.size();
  });
  return out;
}

}  // namespace headgate
