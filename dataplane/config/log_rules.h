#pragma once

#include <memory>
#include <vector>

#include "dataplane/observe/log_format.h"
#include "dataplane/policy/text_pattern.h"
#include "dataplane/policy/text_template.h"

namespace headgate::config {

// A line of the operator's for requests.
struct RequestLogLine {
  // One of the values that the format wants beyond the record of a request.
  struct Value {
    policy::TextTemplate::Part request;
    bool sent_header = false;  // the field of the response that request.text names
  };
  observe::LogFormat format;
  std::vector<Value> values;
};

// What differs from the fixed lines of the access log: proto/headgate/v1/access_log.proto.
struct LogRules {
  bool requests = true;                                // are logged
  std::shared_ptr<const RequestLogLine> request_line;  // null: a fixed one
  std::unique_ptr<const observe::LogFormat> stream_line;
  std::vector<policy::TextPattern> skipped_targets;
};

}  // namespace headgate::config
