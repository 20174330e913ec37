#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

// Character classes of RFC 9110 section 5 and RFC 3986 section 2, and the scans that parsers spend
// their time in.
namespace headgate::http {

namespace chars {

enum : uint8_t {
  kToken = 1,  // tchar
  kDigit = 2,
  kHex = 4,
  kAlpha = 8,
  kPathChar = 16,  // pchar without '%', or '/': needs no encoding in a path
  kRegName = 32,   // letters, digits, '-', '.', '_': what we accept in a host name
  kUpper = 64,
};

constexpr std::array<uint8_t, 256> MakeTable() {
  std::array<uint8_t, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[c] = kToken | kDigit | kHex | kPathChar | kRegName;
  for (int c = 'a'; c <= 'z'; ++c) table[c] = kToken | kAlpha | kPathChar | kRegName;
  for (int c = 'A'; c <= 'Z'; ++c) table[c] = kToken | kAlpha | kPathChar | kRegName | kUpper;
  for (int c = 'a'; c <= 'f'; ++c) table[c] |= kHex;
  for (int c = 'A'; c <= 'F'; ++c) table[c] |= kHex;
  for (char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<uint8_t>(c)] |= kToken;
  for (char c : std::string_view("-._~!$&'()*+,;=:@/")) table[static_cast<uint8_t>(c)] |= kPathChar;
  for (char c : std::string_view("-._")) table[static_cast<uint8_t>(c)] |= kRegName;
  return table;
}

inline constexpr std::array<uint8_t, 256> kTable = MakeTable();

inline bool Is(char c, uint8_t classes) { return (kTable[static_cast<uint8_t>(c)] & classes) != 0; }

}  // namespace chars

inline bool IsTokenChar(char c) { return chars::Is(c, chars::kToken); }
inline bool IsDigit(char c) { return static_cast<uint8_t>(c - '0') < 10; }
inline bool IsHexDigit(char c) { return chars::Is(c, chars::kHex); }
inline char ToLower(char c) {
  return static_cast<uint8_t>(c - 'A') < 26 ? static_cast<char>(c | 0x20) : c;
}
// REQUIRES: IsHexDigit(c).
inline uint8_t HexValue(char c) {
  return static_cast<uint8_t>(IsDigit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
}
inline bool IsToken(std::string_view text) {
  for (char c : text) {
    if (!IsTokenChar(c)) return false;
  }
  return !text.empty();
}

// Optional white space, RFC 9110 section 5.6.3.
inline bool IsBlank(char c) { return static_cast<uint8_t>(c) <= ' ' && (c == ' ' || c == '\t'); }
inline std::string_view TrimBlanks(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

// Goes over letters, digits and '-', of which nearly all field names consist, as far as whole
// blocks of [at, end) show them: what is returned needs a closer look.
inline const char* SkipUsualNameChars(const char* at, const char* end) {
#if defined(__SSE2__)
  const auto at_most = [](__m128i block, char limit) {
    return _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(limit)), block);
  };
  for (; end - at >= 16; at += 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i lower = _mm_or_si128(block, _mm_set1_epi8(0x20));
    const __m128i letter = at_most(_mm_sub_epi8(lower, _mm_set1_epi8('a')), 25);
    const __m128i digit = at_most(_mm_sub_epi8(block, _mm_set1_epi8('0')), 9);
    const __m128i dash = _mm_cmpeq_epi8(block, _mm_set1_epi8('-'));
    const int mask = _mm_movemask_epi8(_mm_or_si128(letter, _mm_or_si128(digit, dash)));
    if (mask != 0xffff) return at + __builtin_ctz(~static_cast<unsigned>(mask));
  }
#endif
  return at;
}

// The first byte in [at, end) that may not stand in a field value: a control byte other than HTAB
// (so CR, LF and NUL end the scan), or DEL. Returns `end` if there is none.
inline const char* FindValueEnd(const char* at, const char* end) {
#if defined(__SSE2__)
  const __m128i control = _mm_set1_epi8(0x1f);
  const __m128i tab = _mm_set1_epi8('\t');
  const __m128i del = _mm_set1_epi8(0x7f);
  for (; end - at >= 16; at += 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(block, control), block);
    const __m128i bad =
        _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(block, tab), low), _mm_cmpeq_epi8(block, del));
    const int mask = _mm_movemask_epi8(bad);
    if (mask != 0) return at + __builtin_ctz(static_cast<unsigned>(mask));
  }
#endif
  for (; at != end; ++at) {
    const uint8_t c = static_cast<uint8_t>(*at);
    if ((c < 0x20 && c != '\t') || c == 0x7f) break;
  }
  return at;
}

// The first byte in [at, end) that may not stand in a request target: space, control bytes, DEL and
// '#'. Bytes above 0x7f and the characters that RFC 3986 wants encoded but clients send raw pass.
inline const char* FindTargetEnd(const char* at, const char* end) {
#if defined(__SSE2__)
  const __m128i space = _mm_set1_epi8(0x20);
  const __m128i hash = _mm_set1_epi8('#');
  const __m128i del = _mm_set1_epi8(0x7f);
  for (; end - at >= 16; at += 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(block, space), block);
    const __m128i bad =
        _mm_or_si128(low, _mm_or_si128(_mm_cmpeq_epi8(block, hash), _mm_cmpeq_epi8(block, del)));
    const int mask = _mm_movemask_epi8(bad);
    if (mask != 0) return at + __builtin_ctz(static_cast<unsigned>(mask));
  }
#endif
  for (; at != end; ++at) {
    const uint8_t c = static_cast<uint8_t>(*at);
    if (c <= 0x20 || c == 0x7f || c == '#') break;
  }
  return at;
}

// Whether nothing in it may not stand in a field value; blanks at its ends are the caller's
// business.
inline bool IsFieldText(std::string_view text) {
  const char* const end = text.data() + text.size();
  return FindValueEnd(text.data(), end) == end;
}
// Whether nothing in it may not stand in a request target.
inline bool IsTargetText(std::string_view text) {
  const char* const end = text.data() + text.size();
  return FindTargetEnd(text.data(), end) == end;
}

}  // namespace headgate::http
