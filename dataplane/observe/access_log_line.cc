#include "dataplane/observe/access_log_line.h"

#include <cstring>

#include "dataplane/observe/log_text.h"

namespace headgate::observe {
namespace {

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
