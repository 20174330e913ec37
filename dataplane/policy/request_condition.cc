#include "dataplane/policy/request_condition.h"

#include <algorithm>

namespace headgate::policy {
namespace {

bool Holds(const RequestCondition& condition, std::string_view value, bool when_in_doubt) {
  if (condition.regex == nullptr) return (value == condition.exact) != condition.negated;
  const Regex::Result result = condition.regex->Search(value);
  if (result == Regex::Result::kGaveUp) return when_in_doubt;
  return (result == Regex::Result::kFound) != condition.negated;
}

}  // namespace

bool Hold(const RequestConditions& conditions, const VariableSource& source, base::Arena& arena,
          bool when_in_doubt) {
  return std::all_of(conditions.begin(), conditions.end(), [&](const RequestCondition& condition) {
    return Holds(condition, Expand(condition.subject, source, arena), when_in_doubt);
  });
}

}  // namespace headgate::policy
