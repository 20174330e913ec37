#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/regex.h"

namespace headgate::policy {

// proto/headgate/v1/access.proto, TextPattern.
struct TextPattern {
  std::string exact;                   // in any case
  std::shared_ptr<const Regex> regex;  // null: `exact`

  bool Matches(std::string_view text, bool when_in_doubt) const;
};

bool MatchesAny(const std::vector<TextPattern>& patterns, std::string_view text,
                bool when_in_doubt);

}  // namespace headgate::policy
