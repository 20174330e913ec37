#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/regex.h"
#include "dataplane/base/arena.h"
#include "dataplane/policy/text_template.h"

// proto/headgate/v1/headers.proto, Condition and ConditionalReply, in memory. Immutable.
namespace headgate::policy {

struct RequestCondition {
  TextTemplate subject;
  std::string exact;
  std::shared_ptr<const Regex> regex;  // null: `exact`
  bool negated = false;
};
using RequestConditions = std::vector<RequestCondition>;

// Whether all hold. `when_in_doubt`: whether a condition holds whose search is given up.
bool Hold(const RequestConditions& conditions, const VariableSource& source, base::Arena& arena,
          bool when_in_doubt);

// An answer for requests of which all conditions hold.
struct ConditionalReply {
  RequestConditions when;
  uint16_t status = 200;
  TextTemplate location;  // empty: none is sent
  bool has_text = false;  // false: the built-in page of the status
  TextTemplate text;
  std::string content_type = "text/html";
};

}  // namespace headgate::policy
