#include "dataplane/policy/canary.h"

#include <optional>

namespace headgate::policy {
namespace {

std::optional<bool> ByWord(std::string_view value) {
  if (value == "always") return true;
  if (value == "never") return false;
  return std::nullopt;
}

std::optional<bool> ByHeader(const CanaryRules& rules, const http::HeaderMap& fields) {
  if (rules.header.empty()) return std::nullopt;
  const http::Field* field = fields.Find(rules.header);
  if (field == nullptr) return std::nullopt;
  if (!rules.header_value.empty()) {
    return field->value == rules.header_value ? std::optional<bool>(true) : std::nullopt;
  }
  if (rules.header_pattern_broken) return false;
  if (rules.header_pattern != nullptr) {
    switch (rules.header_pattern->Search(field->value)) {
      case Regex::Result::kFound: return true;
      case Regex::Result::kNotFound: return std::nullopt;
      case Regex::Result::kGaveUp: return false;
    }
  }
  return ByWord(field->value);
}

}  // namespace

bool BelongsToCanary(const CanaryRules& rules, const http::HeaderMap& fields,
                     std::string_view cookie, uint64_t random) {
  if (const auto decided = ByHeader(rules, fields)) return *decided;
  if (const auto decided = ByWord(cookie)) return *decided;
  return random % rules.weight_total < rules.weight;
}

}  // namespace headgate::policy
