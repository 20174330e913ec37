// Access-log lines, fixed ones and the operator's: one line whatever the bytes, within the bound,
// printable, with the quotes where they belong.
#include "dataplane/observe/access_log_line.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/check.h"
#include "common/text.h"
#include "dataplane/observe/log_format.h"

namespace observe = headgate::observe;

namespace {

using Escape = observe::LogFormat::Escape;
using Variable = observe::LogFormat::Variable;

void CheckFormat(const observe::RequestRecord& record, std::string_view value, Escape escape,
                 const observe::LogTime& time) {
  const observe::LogFormat format = {{{Variable::kText, "\""},
                                      {Variable::kRequest, ""},
                                      {Variable::kText, "\" \""},
                                      {Variable::kValue, ""},
                                      {Variable::kText, "\" "},
                                      {Variable::kUpstreamAddr, ""}},
                                     escape};
  const std::string_view values[] = {value};
  const observe::LogNote note{format, values, 0};
  std::string line(observe::LogLineBound(record, format, &note), '\0');
  const auto written = static_cast<size_t>(
      observe::WriteLogLine(record, format, &note, time, line.data()) - line.data());
  HEADGATE_CHECK(written <= line.size() && line[written - 1] == '\n');
  line.resize(written - 1);
  for (const char c : line) HEADGATE_CHECK(static_cast<unsigned char>(c) >= 32 && c != 127);
  if (escape == Escape::kJson) HEADGATE_CHECK(headgate::IsValidUtf8(line));
  if (escape == Escape::kDefault) HEADGATE_CHECK(std::count(line.begin(), line.end(), '"') == 4);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t third = size / 3;
  observe::RequestRecord record;
  record.method = input.substr(0, third);
  record.target = input.substr(third, third);
  record.user_agent = input.substr(2 * third);
  record.request_id = record.user_agent;
  record.attempt_storage[0].address = record.target;
  record.attempt_count = 1;
  static observe::LogTime time;
  time.Set(784111777);
  for (const auto format : {observe::AccessLogFormat::kText, observe::AccessLogFormat::kJson}) {
    std::string line(observe::AccessLogLineBound(record), '\0');
    const auto written = static_cast<size_t>(
        observe::WriteAccessLogLine(record, format, time, line.data()) - line.data());
    HEADGATE_CHECK(written <= line.size() && line[written - 1] == '\n');
    line.resize(written - 1);
    if (format == observe::AccessLogFormat::kText) {
      for (char c : line) HEADGATE_CHECK(c >= 32 && c < 127);
      HEADGATE_CHECK(std::count(line.begin(), line.end(), '"') == 6);
    } else {
      HEADGATE_CHECK(headgate::IsValidUtf8(line));
      for (char c : line) HEADGATE_CHECK(static_cast<unsigned char>(c) >= 32);
    }
  }
  for (const Escape escape : {Escape::kDefault, Escape::kJson, Escape::kNone}) {
    CheckFormat(record, record.user_agent, escape, time);
  }
  return 0;
}
