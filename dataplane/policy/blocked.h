// Requests that are turned away whatever they ask for.
#pragma once

#include <string_view>
#include <vector>

#include "dataplane/policy/address_set.h"
#include "dataplane/policy/text_pattern.h"

namespace headgate::policy {

struct Blocked {
  AddressSet clients;
  std::vector<TextPattern> user_agents;
  std::vector<TextPattern> referers;

  // In doubt it does.
  bool Blocks(const base::Address& client, std::string_view user_agent,
              std::string_view referer) const;
};

}  // namespace headgate::policy
