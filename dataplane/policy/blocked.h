// Requests that are turned away whatever they ask for.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/policy/address_set.h"
#include "re2/re2.h"

namespace headgate::policy {

// proto/headgate/v1/access.proto, TextPattern.
struct TextPattern {
  std::string exact;                      // in any case
  std::shared_ptr<const re2::RE2> regex;  // null: `exact`

  bool Matches(std::string_view text) const;
};

struct Blocked {
  AddressSet clients;
  std::vector<TextPattern> user_agents;
  std::vector<TextPattern> referers;

  bool Blocks(const base::Address& client, std::string_view user_agent, std::string_view referer) const;
};

}  // namespace headgate::policy
