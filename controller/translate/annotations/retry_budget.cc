#include "controller/translate/annotations/retry_budget.h"

#include <cstdint>
#include <string>

#include "controller/translate/annotations/values.h"

namespace headgate::translate {

void ReadRetryBudget(AnnotationReader& reader, UpstreamSettings& settings) {
  const std::string* value = reader.Find(kRetryBudgetNames[0]);
  if (value == nullptr) return;
  const auto percent = ParseInt(*value);
  if (percent && *percent >= 0 && *percent <= 100) {
    settings.retries.budget_percent = static_cast<uint32_t>(*percent);
  } else {
    reader.Ignore(kRetryBudgetNames[0], "a whole number from 0 to 100");
  }
}

}  // namespace headgate::translate
