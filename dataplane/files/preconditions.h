#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string_view>

#include "dataplane/http/message.h"

namespace headgate::files {

// What identifies the representation that would be sent.
struct Validators {
  // With its quotes; strong.
  std::string_view etag;
  std::optional<time_t> last_modified;
};

enum class Precondition : uint8_t {
  kProceed,
  kNotModified,  // 304
  kFailed,       // 412
};

// If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since in the order of RFC 9110
// section 13.2.2, for GET and HEAD of a representation that exists. Dates that cannot be read are
// passed over, as the section on each says.
Precondition EvaluatePreconditions(const http::RequestHead& request, const Validators& validators);

// Whether a Range field counts: there is no If-Range, or it fits by strong comparison (RFC 9110
// section 13.1.5).
bool IfRangeHolds(const http::RequestHead& request, const Validators& validators);

}  // namespace headgate::files
