#pragma once

#include <cstdint>
#include <string_view>

#include "dataplane/codec/options.h"
#include "dataplane/http/message.h"

namespace headgate::http1 {

// Outcome of parsing a response head.
struct ResponseParseResult {
  // Empty: fine. Else what is wrong, static text; the connection must end.
  std::string_view error;
  // Whether the upstream lets the connection live on after this response.
  bool keep_alive = false;
  bool upgrade = false;  // Connection names Upgrade

  bool ok() const { return error.empty(); }
};

// Parses a complete response head, as strictly as requests are. `head_request`: the request was
// HEAD, so there is no body whatever the fields say (RFC 9112 section 6.3). `head` must outlive the
// views in `response`, whose fields are cleared first. Responses 1xx have no body; 101 is left to
// the caller.
ResponseParseResult ParseResponseHead(std::string_view head, const codec::ResponseLimits& limits,
                                      bool head_request, http::ResponseHead& response);

}  // namespace headgate::http1
