#include "controller/status/fleet.h"

#include <set>
#include <string>

namespace headgate::status {

size_t CountDataPlanes(const state::ClusterState& state, const kube::ObjectKey& service) {
  std::set<std::string> pods;  // with addresses of both families a pod is in two slices
  for (const auto& slice : state.SlicesOf(service)) {
    for (const kube::EndpointSubset& subset : slice->subsets) {
      for (const kube::Endpoint& endpoint : subset.endpoints) {
        if (!endpoint.target.empty() && (endpoint.ready || endpoint.serving))
          pods.insert(endpoint.target);
      }
    }
  }
  return pods.size();
}

}  // namespace headgate::status
