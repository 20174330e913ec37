#pragma once

#include <cstdint>
#include <string_view>

#include "dataplane/base/arena.h"
#include "dataplane/base/failure.h"
#include "dataplane/codec/options.h"
#include "dataplane/http/message.h"

namespace headgate::http1 {

// Outcome of parsing a request head.
struct RequestParseResult {
  // 0: fine. Else the status to answer with; the connection must end, for nobody knows where the
  // next request would begin.
  uint16_t status = 0;
  base::Failure::Kind kind = base::Failure::Kind::kNone;
  std::string_view detail;  // static text
  // Whether the client wants the connection to live on.
  bool keep_alive = false;

  bool ok() const { return status == 0; }
};

// Parses a complete request head (HeadScanner's measure; an empty line before it is tolerated, RFC
// 9112 section 2.2). Strict: what two readers could read differently is refused. `head` must live
// as long as `arena`, for the views in `request` point into it; `request.fields` is cleared first
// and keeps its capacity.
RequestParseResult ParseRequestHead(std::string_view head, const codec::RequestLimits& limits,
                                    base::Arena& arena, http::RequestHead& request);

}  // namespace headgate::http1
