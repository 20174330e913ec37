// What changed in ClusterState since somebody last asked: keys, not contents, so that any number of
// changes to one object costs one entry, and whoever reads it sees the newest state.
#pragma once

#include "absl/container/flat_hash_set.h"
#include "controller/kube/objects.h"

namespace headgate::state {

using KeySet = absl::flat_hash_set<kube::ObjectKey>;

struct Changes {
  KeySet ingresses;  // that are ours, or were
  KeySet statuses;   // Ingresses that are ours and of which the status alone changed
  KeySet services;
  KeySet endpoints;  // Services, of which a slice came, changed or went
  KeySet secrets;
  KeySet config_maps;
  // Objects of any kind whose latest form became or ceased to be undecodable.
  absl::flat_hash_set<std::pair<kube::Kind, kube::ObjectKey>> validity;

  bool empty() const {
    return ingresses.empty() && statuses.empty() && services.empty() && endpoints.empty() &&
           secrets.empty() && config_maps.empty() && validity.empty();
  }
};

}  // namespace headgate::state
