#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/observe/access_log_line.h"
#include "dataplane/observe/request_record.h"

namespace headgate::observe {

// A line of the access log that the operator has asked for: proto/headgate/v1/access_log.proto,
// LogFormat, says what each part means. Immutable.
struct LogFormat {
  enum class Escape : uint8_t { kDefault, kJson, kNone };
  enum class Variable : uint8_t {
    kText,   // the part is text
    kValue,  // the next of LogNote::values
    kBodyBytesSent,
    kBytesSent,
    kHostname,
    kHttpHost,
    kHttpReferer,
    kHttpUserAgent,
    kIngressName,
    kLocationPath,
    kMsec,
    kNamespace,
    kProtocol,
    kProxyAlternativeUpstreamName,
    kProxyUpstreamName,
    kRemoteAddr,
    kRemoteUser,
    kRequest,
    kRequestId,
    kRequestLength,
    kRequestMethod,
    kRequestTime,
    kRequestUri,
    kScheme,
    kServerName,
    kServerProtocol,
    kServiceName,
    kServicePort,
    kStatus,
    kTimeIso8601,
    kTimeLocal,
    kUpstreamAddr,
    kUpstreamConnectTime,
    kUpstreamHeaderTime,
    kUpstreamResponseLength,
    kUpstreamResponseTime,
    kUpstreamStatus,
  };
  struct Part {
    Variable variable = Variable::kText;
    std::string text;  // of kText
  };
  std::vector<Part> parts;
  Escape escape = Escape::kDefault;
};

// What a format wants to know of a request beyond its record. Lives as long as the record.
struct LogNote {
  const LogFormat& format;
  // One for each of its kValue, in their order. One whose data() is null does not exist, which is
  // not the same as being empty.
  std::span<const std::string_view> values;
  uint64_t response_head_bytes = 0;
};

// An upper bound of what WriteLogLine writes. `note`: of that format, or null: nothing is known
// beyond the record.
size_t LogLineBound(const RequestRecord& record, const LogFormat& format, const LogNote* note);

// Writes one line with its line feed to `out`, returns its end. Text of a record and a note may
// hold any byte, and none of them can end the line, whatever the escaping. `time`: set to
// record.end().
char* WriteLogLine(const RequestRecord& record, const LogFormat& format, const LogNote* note,
                   const LogTime& time, char* out);

}  // namespace headgate::observe
