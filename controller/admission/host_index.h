#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "controller/state/cluster_state.h"

namespace headgate::admission {

// Which of our Ingresses have rules for a host or claim it by server-alias, so that who may be in
// each other's way is found without a look at all of them. Hosts in lower case; "" is every host.
//
// Thread: the owner's of the state.
class HostIndex {
 public:
  // `annotation_prefix`: as translate::Options has it.
  explicit HostIndex(std::string annotation_prefix)
      : annotation_prefix_(std::move(annotation_prefix)) {}

  // Takes in that these Ingresses are others than before.
  void Update(const state::ClusterState& state, const state::KeySet& ingresses);

  // Sorted, each once.
  std::vector<kube::ObjectKey> Neighbours(const kube::Ingress& ingress) const;

 private:
  std::vector<std::string> HostsOf(const kube::Ingress& ingress) const;

  const std::string annotation_prefix_;
  absl::flat_hash_map<std::string, state::KeySet> ingresses_;
  absl::flat_hash_map<kube::ObjectKey, std::vector<std::string>> hosts_;
};

}  // namespace headgate::admission
