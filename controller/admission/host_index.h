#pragma once

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "controller/state/cluster_state.h"

namespace headgate::admission {

// Which of our Ingresses have rules for a host, so that who may be in each other's way is found
// without a look at all of them. Hosts in lower case; "" is every host.
//
// Thread: the owner's of the state.
class HostIndex {
 public:
  // Takes in that these Ingresses are others than before.
  void Update(const state::ClusterState& state, const state::KeySet& ingresses);

  // Sorted, each once.
  std::vector<kube::ObjectKey> Neighbours(const kube::Ingress& ingress) const;

 private:
  absl::flat_hash_map<std::string, state::KeySet> ingresses_;
  absl::flat_hash_map<kube::ObjectKey, std::vector<std::string>> hosts_;
};

}  // namespace headgate::admission
