// Requests that are turned away whatever they ask for.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/regex.h"
#include "dataplane/policy/address_set.h"

namespace headgate::policy {

// proto/headgate/v1/access.proto, TextPattern.
struct TextPattern {
  std::string exact;                   // in any case
  std::shared_ptr<const Regex> regex;  // null: `exact`

  // In doubt it does.
  bool Matches(std::string_view text) const;
};

struct Blocked {
  AddressSet clients;
  std::vector<TextPattern> user_agents;
  std::vector<TextPattern> referers;

  bool Blocks(const base::Address& client, std::string_view user_agent,
              std::string_view referer) const;
};

}  // namespace headgate::policy
