#include "dataplane/policy/blocked.h"

#include <algorithm>

#include "dataplane/http/header_map.h"

namespace headgate::policy {
namespace {

bool MatchesAny(const std::vector<TextPattern>& patterns, std::string_view text) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const TextPattern& pattern) { return pattern.Matches(text); });
}

}  // namespace

bool TextPattern::Matches(std::string_view text) const {
  if (regex == nullptr) return http::EqualsIgnoreCase(text, exact);
  return regex->Finds(text, /*when_in_doubt=*/true);
}

bool Blocked::Blocks(const base::Address& client, std::string_view user_agent,
                     std::string_view referer) const {
  return clients.Contains(client) || MatchesAny(user_agents, user_agent) ||
         MatchesAny(referers, referer);
}

}  // namespace headgate::policy
