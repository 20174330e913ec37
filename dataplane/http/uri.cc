#include "dataplane/http/uri.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "dataplane/http/chars.h"

namespace headgate::http {
namespace {

bool IsControl(char c) {
  const auto byte = static_cast<uint8_t>(c);
  return byte < 0x20 || byte == 0x7f;
}

// Bytes that a path must not hold for being its own normal form, whatever stands around them.
constexpr std::array<bool, 256> MakePlain() {
  std::array<bool, 256> plain{};
  for (int c = 0x21; c < 0x7f; ++c) plain[static_cast<size_t>(c)] = true;
  plain['%'] = plain[';'] = plain['\\'] = false;
  return plain;
}
constexpr std::array<bool, 256> kPlain = MakePlain();

// No "//", no segment that begins with a dot, nothing to decode, no parameters, ASCII only.
bool IsPlainPath(std::string_view path) {
  char previous = 0;
  for (char c : path) {
    if (!kPlain[static_cast<uint8_t>(c)]) return false;
    if (previous == '/' && (c == '/' || c == '.')) return false;
    previous = c;
  }
  return true;
}

// Decodes each percent sequence once. False for a malformed one.
bool DecodeOnce(std::string_view raw, char* out, size_t& size) {
  size = 0;
  for (size_t i = 0; i < raw.size(); ++i) {
    char c = raw[i];
    if (c == '%') {
      if (raw.size() - i < 3 || !IsHexDigit(raw[i + 1]) || !IsHexDigit(raw[i + 2])) return false;
      c = static_cast<char>(HexValue(raw[i + 1]) << 4 | HexValue(raw[i + 2]));
      i += 2;
    }
    out[size++] = c;
  }
  return true;
}

// Decodes as often as anybody could: until no percent sequence is left.
std::string_view DecodeFully(std::string_view text, char* out) {
  size_t size = 0;
  for (char c : text) {
    out[size++] = c;
    // What was decoded may complete an earlier sequence.
    while (size >= 3 && out[size - 3] == '%' && IsHexDigit(out[size - 2]) &&
           IsHexDigit(out[size - 1])) {
      out[size - 3] = static_cast<char>(HexValue(out[size - 2]) << 4 | HexValue(out[size - 1]));
      size -= 2;
    }
  }
  return {out, size};
}

// Sequences that a careless UTF-8 decoder turns into ASCII, or into what it should have refused.
bool HasOverlongUtf8(std::string_view text) {
  for (size_t i = 0; i + 1 < text.size(); ++i) {
    const auto lead = static_cast<uint8_t>(text[i]);
    const auto next = static_cast<uint8_t>(text[i + 1]);
    if ((next & 0xc0) != 0x80) continue;
    if (lead == 0xc0 || lead == 0xc1) return true;
    if (lead == 0xe0 && next < 0xa0) return true;
    if (lead == 0xf0 && next < 0x90) return true;
  }
  return false;
}

bool IsDots(std::string_view text) { return text == "." || text == ".."; }

// Calls `f` for each piece of `path` between separators.
template <typename F>
bool AllSegments(std::string_view path, std::string_view separators, F f) {
  size_t begin = 0;
  while (true) {
    const size_t end = path.find_first_of(separators, begin);
    if (!f(path.substr(begin, end == std::string_view::npos ? end : end - begin))) return false;
    if (end == std::string_view::npos) return true;
    begin = end + 1;
  }
}

// Whether a reader that strips parameters sees a dot segment where there is none.
bool IsDotsWithParameters(std::string_view segment) {
  const size_t mark = segment.find(';');
  return mark != std::string_view::npos && IsDots(segment.substr(0, mark));
}

// Writes `path` (decoded, with a leading '/') with empty and dot segments resolved to `out`, which
// may be the same memory. False when it climbs above the root.
bool ResolveSegments(std::string_view path, char* out, size_t& size, bool& had_dots) {
  size = 0;
  had_dots = false;
  size_t at = 0;
  // `out` always ends before the '/' of the segment to come.
  while (at < path.size()) {
    const size_t begin = at + 1;  // behind '/'
    size_t end = path.find('/', begin);
    const bool last = end == std::string_view::npos;
    if (last) end = path.size();
    const std::string_view segment = path.substr(begin, end - begin);
    at = end;
    if (IsDots(segment)) {
      had_dots = true;
      if (segment.size() == 2) {
        if (size == 0) return false;
        do {
          --size;
        } while (out[size] != '/');
      }
      if (last) out[size++] = '/';
    } else if (!segment.empty()) {
      out[size++] = '/';
      // The source may be further on in the same memory.
      std::memmove(out + size, segment.data(), segment.size());
      size += segment.size();
    } else if (last) {
      out[size++] = '/';
    }
  }
  return true;
}

bool IsIpv6Literal(std::string_view text) {
  // Shape only: an address that is no address matches no host.
  if (text.size() < 2 || text.size() > 45) return false;
  size_t colons = 0;
  for (char c : text) {
    if (c == ':') ++colons;
    if (!IsHexDigit(c) && c != ':' && c != '.') return false;
  }
  return colons >= 2 && colons <= 8;
}

// `size`: how far it goes, to a colon or the end. `upper`: whether it has capital letters.
bool ReadHostName(std::string_view text, size_t& size, bool& upper) {
  char previous = '.';  // none at the front either
  uint8_t classes = 0;
  for (size = 0; size < text.size(); ++size) {
    const char c = text[size];
    const uint8_t of_this = chars::kTable[static_cast<uint8_t>(c)];
    if ((of_this & chars::kRegName) == 0) break;
    if (c == '.' && previous == '.') return false;
    classes |= of_this;
    previous = c;
  }
  upper = (classes & chars::kUpper) != 0;
  return size != 0 && size <= 255 && (size == text.size() || text[size] == ':');
}

}  // namespace

std::string_view EncodePath(std::string_view path, base::Arena& arena) {
  const size_t encoded = static_cast<size_t>(std::count_if(
      path.begin(), path.end(), [](char c) { return !chars::Is(c, chars::kPathChar); }));
  if (encoded == 0) return path;
  char* const out = arena.Allocate(path.size() + 2 * encoded);
  char* to = out;
  for (char c : path) {
    if (chars::Is(c, chars::kPathChar)) {
      *to++ = c;
      continue;
    }
    const auto byte = static_cast<uint8_t>(c);
    *to++ = '%';
    *to++ = "0123456789ABCDEF"[byte >> 4];
    *to++ = "0123456789ABCDEF"[byte & 15];
  }
  return {out, static_cast<size_t>(to - out)};
}

bool NormalizePath(std::string_view raw, base::Arena& arena, NormalPath& normal) {
  normal.match = normal.forward = raw;
  normal.rewritten = false;
  if (raw == "*") return true;
  if (raw.empty() || raw.front() != '/') return false;
  if (IsPlainPath(raw)) return true;

  char* const memory = arena.Allocate(raw.size());
  size_t size = 0;
  if (!DecodeOnce(raw, memory, size)) return false;
  const std::string_view decoded(memory, size);
  for (char c : decoded) {
    if (IsControl(c) || c == '\\') return false;
  }
  if (HasOverlongUtf8(decoded)) return false;
  if (!AllSegments(decoded, "/", [](std::string_view s) { return !IsDotsWithParameters(s); })) {
    return false;
  }
  if (decoded.find('%') != std::string_view::npos) {
    // Whoever decodes again must not find what we did not see.
    const std::string_view full = DecodeFully(decoded, arena.Allocate(decoded.size()));
    if (full.size() != decoded.size()) {
      for (char c : full) {
        if (IsControl(c)) return false;
      }
      if (HasOverlongUtf8(full)) return false;
      size_t dots_seen = 0;
      AllSegments(decoded, "/", [&](std::string_view s) {
        dots_seen += IsDots(s);
        return true;
      });
      size_t dots_hidden = 0;
      const bool clean = AllSegments(full, "/\\", [&](std::string_view s) {
        dots_hidden += IsDots(s);
        return !IsDotsWithParameters(s);
      });
      if (!clean || dots_hidden != dots_seen) return false;
    }
  }

  bool had_dots = false;
  if (!ResolveSegments(decoded, memory, size, had_dots)) return false;
  normal.match = std::string_view(memory, size);
  if (had_dots) {
    normal.forward = EncodePath(normal.match, arena);
    normal.rewritten = true;
  }
  return true;
}

bool ParseAuthority(std::string_view text, base::Arena& arena, Authority& authority) {
  authority = {};
  size_t host_end;
  bool upper = false;
  if (!text.empty() && text.front() == '[') {
    const size_t bracket = text.find(']');
    if (bracket == std::string_view::npos || !IsIpv6Literal(text.substr(1, bracket - 1))) {
      return false;
    }
    host_end = bracket + 1;
    upper = true;  // perhaps
  } else if (!ReadHostName(text, host_end, upper)) {
    return false;
  }
  std::string_view host = text.substr(0, host_end);
  std::string_view port = text.substr(host_end);
  if (!port.empty()) {
    if (port.front() != ':') return false;
    port.remove_prefix(1);
    if (port.size() > 5) return false;
    uint32_t value = 0;
    for (char c : port) {
      if (!IsDigit(c)) return false;
      value = value * 10 + static_cast<uint32_t>(c - '0');
    }
    if (value > 65535 || (value == 0 && !port.empty())) return false;
    authority.port = static_cast<uint16_t>(value);
  }
  if (host.back() == '.') host.remove_suffix(1);
  if (upper) {
    char* const lower = arena.Allocate(host.size());
    std::transform(host.begin(), host.end(), lower, ToLower);
    host = {lower, host.size()};
  }
  authority.host = host;
  return true;
}

}  // namespace headgate::http
