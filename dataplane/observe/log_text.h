// The pieces that lines of the access log are made of. Each Put writes to `out` and returns the
// end: a text takes at most six bytes for each of its own, or one if it is empty.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "common/text.h"
#include "dataplane/observe/request_record.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace headgate::observe {

// Needs no escaping in any form.
inline constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (size_t c = 32; c < 127; ++c) plain[c] = true;
  plain['"'] = plain['\\'] = false;
  return plain;
}();

#if defined(__SSE2__)
inline bool IsPlain(__m128i block) {
  // Signed: bytes above 0x7f count as less than a space.
  const __m128i special = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('"')),
                                                    _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'))),
                                       _mm_or_si128(_mm_cmplt_epi8(block, _mm_set1_epi8(0x20)),
                                                    _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7f))));
  return _mm_movemask_epi8(special) == 0;
}
#endif

// Copies plain bytes from the front of `text`; returns how many.
inline size_t CopyPlain(std::string_view text, char* out) {
  size_t i = 0;
#if defined(__SSE2__)
  if (text.size() >= 8 && text.size() < 16) {
    // Its first eight bytes and its last.
    const size_t second = text.size() - 8;
    const __m128i low = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(text.data()));
    const __m128i high = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(text.data() + second));
    if (IsPlain(_mm_unpacklo_epi64(low, high))) {
      _mm_storel_epi64(reinterpret_cast<__m128i*>(out), low);
      _mm_storel_epi64(reinterpret_cast<__m128i*>(out + second), high);
      return text.size();
    }
  }
  for (; text.size() - i >= 16; i += 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + i));
    if (!IsPlain(block)) break;
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i), block);
    // Where less than a block is left, the next one begins in this one.
    const size_t left = text.size() - i - 16;
    if (left != 0 && left < 16) i -= 16 - left;
  }
#endif
  for (; i < text.size() && kPlain[static_cast<uint8_t>(text[i])]; ++i) out[i] = text[i];
  return i;
}

inline char* Put(std::string_view text, char* out) {
  if (!text.empty()) std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

inline char* PutNumber(uint64_t number, char* out) {
  return std::to_chars(out, out + 20, number).ptr;
}

// Seconds with three decimals.
inline char* PutSeconds(std::chrono::microseconds time, char* out) {
  const auto milliseconds = static_cast<uint64_t>(std::max<int64_t>(time.count(), 0)) / 1000;
  out = PutNumber(milliseconds / 1000, out);
  *out++ = '.';
  const auto rest = static_cast<unsigned>(milliseconds % 1000);
  *out++ = static_cast<char>('0' + rest / 100);
  *out++ = static_cast<char>('0' + rest / 10 % 10);
  *out++ = static_cast<char>('0' + rest % 10);
  return out;
}

inline char* PutEscaped(std::string_view text, char* out) {
  while (true) {
    const size_t plain = CopyPlain(text, out);
    out += plain;
    if (plain == text.size()) return out;
    const auto byte = static_cast<uint8_t>(text[plain]);
    *out++ = '\\';
    *out++ = 'x';
    *out++ = "0123456789ABCDEF"[byte >> 4];
    *out++ = "0123456789ABCDEF"[byte & 15];
    text.remove_prefix(plain + 1);
  }
}

inline char* PutEscapedOrDash(std::string_view text, char* out) {
  if (!text.empty()) return PutEscaped(text, out);
  *out++ = '-';
  return out;
}

inline char* PutJsonEscaped(std::string_view text, char* out) {
  const size_t plain = CopyPlain(text, out);
  out += plain;
  if (plain == text.size()) return out;
  return WriteJsonEscaped(text.substr(plain), out);
}

// Calls `put` for each try, with ", " between; "-" if there was none.
template <typename F>
char* PutTries(std::span<const AttemptRecord> tries, char* out, F put) {
  if (tries.empty()) {
    *out++ = '-';
    return out;
  }
  bool first = true;
  for (const AttemptRecord& attempt : tries) {
    if (!first) out = Put(", ", out);
    first = false;
    out = put(attempt, out);
  }
  return out;
}

inline char* PutTryLengths(std::span<const AttemptRecord> tries, char* out) {
  return PutTries(tries, out, [](const AttemptRecord& attempt, char* to) {
    return PutNumber(attempt.response_bytes, to);
  });
}

inline char* PutTryTimes(std::span<const AttemptRecord> tries, char* out) {
  return PutTries(tries, out, [](const AttemptRecord& attempt, char* to) {
    return PutSeconds(attempt.response_time, to);
  });
}

inline char* PutTryStatuses(std::span<const AttemptRecord> tries, char* out) {
  return PutTries(tries, out, [](const AttemptRecord& attempt, char* to) {
    const uint16_t status = attempt.status != 0 ? attempt.status : attempt.failed_as;
    return status == 0 ? Put("-", to) : PutNumber(status, to);
  });
}

template <typename F>
char* PutRequestLine(const RequestRecord& record, char* out, F put) {
  out = put(record.method, out);
  if (record.target.empty()) return out;
  *out++ = ' ';
  out = put(record.target, out);
  *out++ = ' ';
  return put(record.version, out);
}

}  // namespace headgate::observe
