// Formats of the access log's lines, as NGINX's log_format has them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/headgate/v1/access_log.pb.h"

namespace headgate::translate {

// What a line is about: each has variables of its own.
enum class LogSubject { kRequest, kConnection };

struct ParsedLogFormat {
  v1::LogFormat format;
  // Variables that are not known here. Where they stand is what NGINX writes for one without a
  // value. Each once.
  std::vector<std::string> unknown;
};

// A template as ParseTemplate takes it, with "\n", "\t", "\r", "\"", "\'" and "\\" for the
// character that each names. Nothing when it is empty, is no template, or is more than a data plane
// takes.
std::optional<ParsedLogFormat> ParseLogFormat(std::string_view text, LogSubject subject,
                                              v1::LogFormat::Escape escape);

}  // namespace headgate::translate
