#include "controller/status/status_feed.h"

#include <utility>

namespace headgate::status {

void StatusFeed::Take(const state::ClusterState& state, const state::Changes& changes) {
  const bool first = std::exchange(first_, false);
  const bool knows = !options_.given.empty() || options_.published;
  if ((first && knows) || (options_.published && changes.services.contains(*options_.published))) {
    writer_.SetAddresses(Addresses(state));
  }
  for (const state::KeySet* keys : {&changes.ingresses, &changes.statuses}) {
    for (const kube::ObjectKey& key : *keys) writer_.Observe(key, state.ShareIngress(key));
  }
  peers_.Update(state, changes.endpoints);
}

std::optional<AddressList> StatusFeed::Addresses(const state::ClusterState& state) const {
  if (!options_.given.empty()) return options_.given;
  const kube::Service* service = state.FindService(*options_.published);
  return service == nullptr ? std::nullopt : std::optional(AddressesOf(*service));
}

}  // namespace headgate::status
