#include "dataplane/observe/access_log_line.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <span>
#include <string>

#include "common/text.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace headgate::observe {
namespace {

constexpr std::array<bool, 256> MakePlain() {
  std::array<bool, 256> plain{};
  for (size_t c = 32; c < 127; ++c) plain[c] = true;
  plain['"'] = plain['\\'] = false;
  return plain;
}
// Needs no escaping in either format.
constexpr std::array<bool, 256> kPlain = MakePlain();

#if defined(__SSE2__)
bool IsPlain(__m128i block) {
  // Signed: bytes above 0x7f count as less than a space.
  const __m128i special = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('"')),
                                                    _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'))),
                                       _mm_or_si128(_mm_cmplt_epi8(block, _mm_set1_epi8(0x20)),
                                                    _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7f))));
  return _mm_movemask_epi8(special) == 0;
}
#endif

// Copies plain bytes from the front of `text`; returns how many.
size_t CopyPlain(std::string_view text, char* out) {
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

char* Put(std::string_view text, char* out) {
  if (!text.empty()) std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

char* PutNumber(uint64_t number, char* out) { return std::to_chars(out, out + 20, number).ptr; }

// Seconds with three decimals.
char* PutSeconds(std::chrono::microseconds time, char* out) {
  const auto milliseconds = static_cast<uint64_t>(std::max<int64_t>(time.count(), 0)) / 1000;
  out = PutNumber(milliseconds / 1000, out);
  *out++ = '.';
  const auto rest = static_cast<unsigned>(milliseconds % 1000);
  *out++ = static_cast<char>('0' + rest / 100);
  *out++ = static_cast<char>('0' + rest / 10 % 10);
  *out++ = static_cast<char>('0' + rest % 10);
  return out;
}

char* PutEscaped(std::string_view text, char* out) {
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

char* PutEscapedOrDash(std::string_view text, char* out) {
  if (!text.empty()) return PutEscaped(text, out);
  *out++ = '-';
  return out;
}

char* PutJsonEscaped(std::string_view text, char* out) {
  const size_t plain = CopyPlain(text, out);
  out += plain;
  if (plain == text.size()) return out;
  std::string escaped;
  AppendJsonEscaped(escaped, text.substr(plain));
  return Put(escaped, out);
}

// "key":"value" with a comma before it.
char* PutJsonText(std::string_view key, std::string_view value, char* out) {
  out = Put(key, out);
  out = PutJsonEscaped(value, out);
  *out++ = '"';
  return out;
}

char* PutJsonNumber(std::string_view key, uint64_t value, char* out) {
  return PutNumber(value, Put(key, out));
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

char* PutTryLengths(std::span<const AttemptRecord> tries, char* out) {
  return PutTries(tries, out, [](const AttemptRecord& attempt, char* to) {
    return PutNumber(attempt.response_bytes, to);
  });
}

char* PutTryTimes(std::span<const AttemptRecord> tries, char* out) {
  return PutTries(tries, out, [](const AttemptRecord& attempt, char* to) {
    return PutSeconds(attempt.response_time, to);
  });
}

char* PutTryStatuses(std::span<const AttemptRecord> tries, char* out) {
  return PutTries(tries, out, [](const AttemptRecord& attempt, char* to) {
    if (attempt.status == 0) return Put("-", to);
    return PutNumber(attempt.status, to);
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

char* WriteText(const RequestRecord& record, const LogTime& time, char* out) {
  out = PutEscapedOrDash(record.client_ip, out);
  out = Put(" - ", out);
  out = PutEscapedOrDash(record.user, out);
  out = Put(" [", out);
  out = Put(time.text(), out);
  out = Put("] \"", out);
  if (record.method.empty()) {
    *out++ = '-';
  } else {
    out = PutRequestLine(record, out, PutEscaped);
  }
  out = Put("\" ", out);
  out = PutNumber(record.status, out);
  *out++ = ' ';
  out = PutNumber(record.response_body_bytes, out);
  out = Put(" \"", out);
  out = PutEscapedOrDash(record.referer, out);
  out = Put("\" \"", out);
  out = PutEscapedOrDash(record.user_agent, out);
  out = Put("\" ", out);
  out = PutNumber(record.request_bytes, out);
  *out++ = ' ';
  out = PutSeconds(record.duration, out);
  out = Put(" [", out);
  out = PutEscapedOrDash(record.upstream_name, out);
  // The upstream of a canary comes second; empty without one.
  out = Put("] [", out);
  if (!record.alternative_upstream_name.empty())
    out = PutEscapedOrDash(record.alternative_upstream_name, out);
  out = Put("] ", out);
  out = PutTries(record.attempts(), out, [](const AttemptRecord& attempt, char* to) {
    return PutEscapedOrDash(attempt.address, to);
  });
  *out++ = ' ';
  out = PutTryLengths(record.attempts(), out);
  *out++ = ' ';
  out = PutTryTimes(record.attempts(), out);
  *out++ = ' ';
  out = PutTryStatuses(record.attempts(), out);
  *out++ = ' ';
  out = PutEscapedOrDash(record.request_id, out);
  *out++ = '\n';
  return out;
}

// [$remote_addr] [$time_local] $protocol $status $bytes_sent $bytes_received $session_time
char* WriteStreamText(const RequestRecord& record, const LogTime& time, char* out) {
  *out++ = '[';
  out = PutEscapedOrDash(record.client_ip, out);
  out = Put("] [", out);
  out = Put(time.text(), out);
  out = Put("] ", out);
  out = PutEscaped(record.method, out);
  *out++ = ' ';
  out = PutNumber(record.status, out);
  *out++ = ' ';
  out = PutNumber(record.response_body_bytes, out);
  *out++ = ' ';
  out = PutNumber(record.request_bytes, out);
  *out++ = ' ';
  out = PutSeconds(record.duration, out);
  *out++ = '\n';
  return out;
}

char* WriteJson(const RequestRecord& record, const LogTime& time, char* out) {
  out = Put("{\"time\":\"", out);
  out = Put(time.json(), out);
  *out++ = '"';
  out = PutJsonText(",\"remote_addr\":\"", record.client_ip, out);
  out = PutJsonText(",\"remote_user\":\"", record.user, out);
  out = Put(",\"request\":\"", out);
  out = PutRequestLine(record, out, PutJsonEscaped);
  *out++ = '"';
  out = PutJsonText(",\"host\":\"", record.host, out);
  out = PutJsonNumber(",\"status\":", record.status, out);
  out = PutJsonNumber(",\"body_bytes_sent\":", record.response_body_bytes, out);
  out = PutJsonText(",\"http_referer\":\"", record.referer, out);
  out = PutJsonText(",\"http_user_agent\":\"", record.user_agent, out);
  out = PutJsonNumber(",\"request_length\":", record.request_bytes, out);
  out = Put(",\"request_time\":", out);
  out = PutSeconds(record.duration, out);
  out = PutJsonText(",\"proxy_upstream_name\":\"", record.upstream_name, out);
  out =
      PutJsonText(",\"proxy_alternative_upstream_name\":\"", record.alternative_upstream_name, out);
  out = Put(",\"upstream_addr\":\"", out);
  out = PutTries(record.attempts(), out, [](const AttemptRecord& attempt, char* to) {
    return PutJsonEscaped(attempt.address, to);
  });
  out = Put("\",\"upstream_response_length\":\"", out);
  out = PutTryLengths(record.attempts(), out);
  out = Put("\",\"upstream_response_time\":\"", out);
  out = PutTryTimes(record.attempts(), out);
  out = Put("\",\"upstream_status\":\"", out);
  out = PutTryStatuses(record.attempts(), out);
  *out++ = '"';
  out = PutJsonText(",\"req_id\":\"", record.request_id, out);
  if (!record.failure.empty()) out = PutJsonText(",\"failure\":\"", record.failure, out);
  return Put("}\n", out);
}

}  // namespace

void LogTime::Set(time_t second) {
  if (second == second_) return;
  second_ = second;
  tm local{};
  localtime_r(&second, &local);
  text_size_ = std::strftime(text_.data(), text_.size(), "%d/%b/%Y:%H:%M:%S %z", &local);
  json_size_ = std::strftime(json_.data(), json_.size() - 1, "%Y-%m-%dT%H:%M:%S%z", &local);
  if (json_size_ >= 5) {
    // RFC 3339 wants a colon in the offset.
    std::memmove(&json_[json_size_ - 1], &json_[json_size_ - 2], 2);
    json_[json_size_ - 2] = ':';
    ++json_size_;
  }
}

size_t AccessLogLineBound(const RequestRecord& record) {
  size_t text = record.client_ip.size() + record.user.size() + record.method.size() +
                record.target.size() + record.version.size() + record.host.size() +
                record.referer.size() + record.user_agent.size() + record.upstream_name.size() +
                record.alternative_upstream_name.size() + record.request_id.size() +
                record.failure.size();
  for (const AttemptRecord& attempt : record.attempts()) text += attempt.address.size();
  // Six bytes for one in JSON; numbers and separators of an attempt; everything fixed.
  return 6 * text + 80 * record.attempt_count + 768;
}

char* WriteAccessLogLine(const RequestRecord& record, AccessLogFormat format, const LogTime& time,
                         char* out) {
  if (format == AccessLogFormat::kJson) return WriteJson(record, time, out);
  return record.scheme == kTcpScheme ? WriteStreamText(record, time, out)
                                     : WriteText(record, time, out);
}

}  // namespace headgate::observe
