#pragma once

#include <cstdint>
#include <ctime>
#include <string_view>
#include <vector>

#include "dataplane/base/arena.h"
#include "dataplane/config/static_files.h"
#include "dataplane/files/preconditions.h"
#include "dataplane/http/message.h"

namespace headgate::files {

// What was found for a request, apart from its bytes.
struct Representation {
  uint64_t size = 0;
  Validators validators;
  std::string_view content_type;
  std::string_view encoding;  // Content-Encoding; empty: none
  // Another Accept-Encoding could have chosen another form.
  bool varies = false;
};

// A part of the body: text of ours, then bytes of the representation. Either may be empty.
struct BodyPart {
  std::string_view text;
  uint64_t offset = 0;
  uint64_t size = 0;
};

// The response to `request` (RFC 9110): status and head in `head` (whose capacity is used again),
// body in `parts`, which stays empty for HEAD and for a response without body. GET and HEAD are
// answered, all else is 405. `now` is the wall clock; `boundary` parts a multipart body, it must
// not occur in the representation. What `head` and `parts` point at is the representation's, the
// action's, or in `arena`.
void MakeAnswer(const http::RequestHead& request, const Representation& found,
                const config::StaticAction& action, time_t now, std::string_view boundary,
                base::Arena& arena, http::ResponseHead& head, std::vector<BodyPart>& parts);

}  // namespace headgate::files
