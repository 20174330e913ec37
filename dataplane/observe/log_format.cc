#include "dataplane/observe/log_format.h"

#include <limits.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>

#include "dataplane/observe/log_text.h"

namespace headgate::observe {
namespace {

using Variable = LogFormat::Variable;
using Escape = LogFormat::Escape;

// Of a number, a time or a date.
constexpr size_t kNumberBound = 40;

std::string_view Hostname() {
  static const std::array<char, HOST_NAME_MAX + 1> name = [] {
    std::array<char, HOST_NAME_MAX + 1> text{};
    gethostname(text.data(), text.size() - 1);
    return text;
  }();
  return name.data();
}

// Nothing is added to what the operator has asked for but a mark for what would end or overwrite
// the line.
char* PutUnescaped(std::string_view text, char* out) {
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      *out++ = c;
    } else {
      out = PutEscaped({&c, 1}, out);
    }
  }
  return out;
}

char* PutText(std::string_view text, Escape escape, char* out) {
  switch (escape) {
    case Escape::kDefault: return PutEscaped(text, out);
    case Escape::kJson: return PutJsonEscaped(text, out);
    case Escape::kNone: return PutUnescaped(text, out);
  }
  return out;
}

char* PutMissing(Escape escape, char* out) {
  if (escape == Escape::kDefault) *out++ = '-';
  return out;
}

char* PutTextOrMissing(std::string_view text, Escape escape, char* out) {
  return text.data() == nullptr ? PutMissing(escape, out) : PutText(text, escape, out);
}

// What of `record` is one text. False: it is something else.
bool FindText(const RequestRecord& record, Variable variable, std::string_view& text) {
  const auto or_missing = [](std::string_view found) {
    return found.empty() ? std::string_view() : found;
  };
  const auto or_empty = [](std::string_view found) {
    return found.data() == nullptr ? std::string_view("") : found;
  };
  switch (variable) {
    case Variable::kHostname: text = Hostname(); return true;
    case Variable::kHttpHost: text = or_missing(record.host); return true;
    case Variable::kHttpReferer: text = record.referer; return true;
    case Variable::kHttpUserAgent: text = record.user_agent; return true;
    case Variable::kIngressName: text = or_empty(record.route_ingress); return true;
    case Variable::kLocationPath: text = or_empty(record.route_path); return true;
    case Variable::kNamespace: text = or_empty(record.route_namespace); return true;
    case Variable::kProtocol: text = "TCP"; return true;
    case Variable::kProxyAlternativeUpstreamName:
      text = or_empty(record.alternative_upstream_name);
      return true;
    case Variable::kProxyUpstreamName:
      text = record.upstream_name.empty() ? std::string_view("-") : record.upstream_name;
      return true;
    case Variable::kRemoteAddr: text = or_missing(record.client_ip); return true;
    case Variable::kRemoteUser: text = or_missing(record.user); return true;
    case Variable::kRequestId: text = or_missing(record.request_id); return true;
    case Variable::kRequestMethod: text = or_missing(record.method); return true;
    case Variable::kRequestUri: text = or_missing(record.target); return true;
    case Variable::kScheme: text = or_missing(record.scheme); return true;
    case Variable::kServerName: text = or_missing(record.virtual_host); return true;
    case Variable::kServerProtocol: text = or_missing(record.version); return true;
    case Variable::kServiceName: text = or_empty(record.route_service); return true;
    case Variable::kServicePort: text = or_empty(record.route_service_port); return true;
    default: return false;
  }
}

// Of an attempt; a negative one is not known.
char* PutTime(std::chrono::microseconds time, char* out) {
  return time.count() < 0 ? Put("-", out) : PutSeconds(time, out);
}

std::chrono::microseconds ConnectTime(const AttemptRecord& attempt) {
  // What was answered without connecting went over a connection that was there.
  const bool reused = attempt.connect_time.count() < 0 && attempt.header_time.count() >= 0;
  return reused ? std::chrono::microseconds(0) : attempt.connect_time;
}

template <typename F>
char* PutTriesOrMissing(const RequestRecord& record, Escape escape, char* out, F put) {
  if (record.attempt_count == 0) return PutMissing(escape, out);
  return PutTries(record.attempts(), out, put);
}

char* PutVariable(const RequestRecord& record, Variable variable, const LogFormat& format,
                  const LogNote* note, const LogTime& time, char* out) {
  const Escape escape = format.escape;
  std::string_view text;
  if (FindText(record, variable, text)) return PutTextOrMissing(text, escape, out);
  switch (variable) {
    case Variable::kBodyBytesSent: return PutNumber(record.response_body_bytes, out);
    case Variable::kBytesSent:
      return PutNumber(
          record.response_body_bytes + (note == nullptr ? 0 : note->response_head_bytes), out);
    case Variable::kMsec:
      return PutSeconds(std::chrono::floor<std::chrono::microseconds>(record.end()), out);
    case Variable::kRequest:
      if (record.method.empty()) return PutMissing(escape, out);
      return PutRequestLine(record, out, [escape](std::string_view part, char* to) {
        return PutText(part, escape, to);
      });
    case Variable::kRequestLength: return PutNumber(record.request_bytes, out);
    case Variable::kRequestTime: return PutSeconds(record.duration, out);
    case Variable::kStatus: return PutNumber(record.status, out);
    case Variable::kTimeIso8601: return Put(time.json(), out);
    case Variable::kTimeLocal: return Put(time.text(), out);
    case Variable::kUpstreamAddr:
      return PutTriesOrMissing(record, escape, out,
                               [escape](const AttemptRecord& attempt, char* to) {
                                 return PutText(attempt.address, escape, to);
                               });
    case Variable::kUpstreamConnectTime:
      return PutTriesOrMissing(record, escape, out, [](const AttemptRecord& attempt, char* to) {
        return PutTime(ConnectTime(attempt), to);
      });
    case Variable::kUpstreamHeaderTime:
      return PutTriesOrMissing(record, escape, out, [](const AttemptRecord& attempt, char* to) {
        return PutTime(attempt.header_time, to);
      });
    case Variable::kUpstreamResponseLength:
      return record.attempt_count == 0 ? PutMissing(escape, out)
                                       : PutTryLengths(record.attempts(), out);
    case Variable::kUpstreamResponseTime:
      return record.attempt_count == 0 ? PutMissing(escape, out)
                                       : PutTryTimes(record.attempts(), out);
    case Variable::kUpstreamStatus:
      return record.attempt_count == 0 ? PutMissing(escape, out)
                                       : PutTryStatuses(record.attempts(), out);
    default: return out;
  }
}

size_t VariableBound(const RequestRecord& record, Variable variable) {
  std::string_view text;
  if (FindText(record, variable, text)) return 6 * text.size() + 1;
  if (variable == Variable::kRequest) {
    return 6 * (record.method.size() + record.target.size() + record.version.size()) + 2;
  }
  size_t bound = kNumberBound;
  for (const AttemptRecord& attempt : record.attempts()) {
    bound += kNumberBound;
    if (variable == Variable::kUpstreamAddr) bound += 6 * attempt.address.size();
  }
  return bound;
}

}  // namespace

size_t LogLineBound(const RequestRecord& record, const LogFormat& format, const LogNote* note) {
  size_t bound = 1;
  if (note != nullptr) {
    for (const std::string_view value : note->values) bound += 6 * value.size();
  }
  for (const LogFormat::Part& part : format.parts) {
    switch (part.variable) {
      case Variable::kText: bound += part.text.size(); break;
      case Variable::kValue: bound += 1; break;
      default: bound += VariableBound(record, part.variable); break;
    }
  }
  return bound;
}

char* WriteLogLine(const RequestRecord& record, const LogFormat& format, const LogNote* note,
                   const LogTime& time, char* out) {
  std::span<const std::string_view> values;
  if (note != nullptr) values = note->values;
  for (const LogFormat::Part& part : format.parts) {
    switch (part.variable) {
      case Variable::kText: out = Put(part.text, out); break;
      case Variable::kValue:
        out = PutTextOrMissing(values.empty() ? std::string_view() : values.front(), format.escape,
                               out);
        if (!values.empty()) values = values.subspan(1);
        break;
      default: out = PutVariable(record, part.variable, format, note, time, out); break;
    }
  }
  *out++ = '\n';
  return out;
}

}  // namespace headgate::observe
