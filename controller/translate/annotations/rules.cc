#include "controller/translate/annotations/rules.h"

namespace headgate::translate {

std::string_view RiskName(Risk risk) {
  switch (risk) {
    case Risk::kLow: return "Low";
    case Risk::kMedium: return "Medium";
    case Risk::kHigh: return "High";
    case Risk::kCritical: return "Critical";
  }
  return "";
}

}  // namespace headgate::translate
