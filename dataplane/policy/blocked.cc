#include "dataplane/policy/blocked.h"

namespace headgate::policy {

bool Blocked::Blocks(const base::Address& client, std::string_view user_agent,
                     std::string_view referer) const {
  return clients.Contains(client) || MatchesAny(user_agents, user_agent, /*when_in_doubt=*/true) ||
         MatchesAny(referers, referer, /*when_in_doubt=*/true);
}

}  // namespace headgate::policy
