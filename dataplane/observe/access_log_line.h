#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string_view>

#include "dataplane/observe/request_record.h"

namespace headgate::observe {

enum class AccessLogFormat : uint8_t {
  kText,  // ingress-nginx's default line
  kJson,  // one object a line, with nginx's variable names as keys
};

// The time of a line in both formats, made once a second. Local time, with its offset.
class LogTime {
 public:
  void Set(time_t second);
  std::string_view text() const {
    return {text_.data(), text_size_};
  }  // 06/Nov/1994:08:49:37 +0000
  std::string_view json() const { return {json_.data(), json_size_}; }  // 1994-11-06T08:49:37+00:00

 private:
  time_t second_ = -1;
  std::array<char, 40> text_{};
  std::array<char, 40> json_{};
  size_t text_size_ = 0;
  size_t json_size_ = 0;
};

// An upper bound of what WriteAccessLogLine writes.
size_t AccessLogLineBound(const RequestRecord& record);

// Writes one line with its line feed to `out`, returns its end. Text of a record may hold any byte.
// Escaping: the text format has '"', '\' and bytes outside 32-126 as \xHH and empty as "-"; JSON is
// always valid JSON (bytes that are no UTF-8 become U+FFFD). A record without target is of
// something that was no request: `method` is what came. Connections of TCP services (kTcpScheme)
// have ingress-nginx's line for streams in the text format.
char* WriteAccessLogLine(const RequestRecord& record, AccessLogFormat format, const LogTime& time,
                         char* out);

}  // namespace headgate::observe
