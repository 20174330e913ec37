#include "dataplane/policy/text_pattern.h"

#include <algorithm>

#include "dataplane/http/header_map.h"

namespace headgate::policy {

bool TextPattern::Matches(std::string_view text, bool when_in_doubt) const {
  return regex == nullptr ? http::EqualsIgnoreCase(text, exact) : regex->Finds(text, when_in_doubt);
}

bool MatchesAny(const std::vector<TextPattern>& patterns, std::string_view text,
                bool when_in_doubt) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const TextPattern& pattern) {
    return pattern.Matches(text, when_in_doubt);
  });
}

}  // namespace headgate::policy
