#include "dataplane/http1/head_scanner.h"

#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace headgate::http1 {

size_t HeadScanner::Scan(std::string_view data) {
  const char* const begin = data.data();
  const char* const end = begin + data.size();
  const char* at = begin + scanned_;

#if defined(__SSE2__)
  // The line feeds of thirty-two positions at once, and what is one or two bytes behind each.
  const __m128i feed = _mm_set1_epi8('\n');
  for (; end - at >= 34; at += 32) {
    const __m128i* const block = reinterpret_cast<const __m128i*>(at);
    const auto low =
        static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128(block), feed)));
    const auto high =
        static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128(block + 1), feed)));
    for (unsigned mask = low | high << 16; mask != 0; mask &= mask - 1) {
      const char* hit = at + __builtin_ctz(mask);
      if (hit[1] == '\n') return static_cast<size_t>(hit - begin) + 2;
      if (hit[1] == '\r' && hit[2] == '\n') return static_cast<size_t>(hit - begin) + 3;
    }
  }
#endif
  while (at != end) {
    const char* hit =
        static_cast<const char*>(std::memchr(at, '\n', static_cast<size_t>(end - at)));
    if (hit == nullptr) {
      at = end;
      break;
    }
    at = hit;
    if (end - hit < 2) break;
    if (hit[1] == '\n') return static_cast<size_t>(hit - begin) + 2;
    if (hit[1] == '\r') {
      if (end - hit < 3) break;
      if (hit[2] == '\n') return static_cast<size_t>(hit - begin) + 3;
    }
    at = hit + 1;
  }
  scanned_ = static_cast<size_t>(at - begin);
  return kIncomplete;
}

}  // namespace headgate::http1
