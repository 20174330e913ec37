#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/base/arena.h"
#include "dataplane/http/header_map.h"
#include "dataplane/policy/request_condition.h"
#include "dataplane/policy/text_template.h"

// What is changed in heads by rule. proto/headgate/v1/headers.proto.
namespace headgate::policy {

// One field that is set, or removed where `value` has no parts. Immutable.
struct HeaderEdit {
  std::string name;
  http::FieldId id = http::FieldId::kOther;  // of `name`
  TextTemplate value;
  RequestConditions when = {};          // all must hold for the request
  std::vector<uint16_t> statuses = {};  // of a response; empty: whatever it has
  bool append = false;                  // beside the fields that are there
};
using HeaderEdits = std::vector<HeaderEdit>;

enum class ConnectionOption : uint8_t { kNone, kClose, kKeepAlive };

// For requests towards endpoints, and for responses towards clients. Immutable.
struct HeaderPolicy {
  HeaderEdits request;
  TextTemplate host;  // of the request; empty: the client's
  ConnectionOption connection = ConnectionOption::kNone;
  std::vector<std::string> hidden;  // fields of endpoints' answers
  HeaderEdits response;
};

// Apply the edits in order; those with statuses where `status` is one of them. A value that comes
// out empty, or with a byte that no field may hold (RFC 9110 section 5.5), removes the field, or
// appends none. Values live as long as `arena`, `source` and the edits. In requests a field goes
// with all that look like it to an endpoint (http::LooksLike).
void ApplyToRequest(const HeaderEdits& edits, const VariableSource& source, base::Arena& arena,
                    http::HeaderMap& fields);
void ApplyToResponse(const HeaderEdits& edits, const VariableSource& source, base::Arena& arena,
                     http::HeaderMap& fields, uint16_t status);

// Puts the field in place of all of that name.
void Replace(http::HeaderMap& fields, http::FieldId id, std::string_view name,
             std::string_view value);

}  // namespace headgate::policy
