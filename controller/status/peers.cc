#include "controller/status/peers.h"

#include <algorithm>

namespace headgate::status {

void Peers::Update(const state::ClusterState& state, const state::KeySet& services) {
  if (pod_.empty()) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const kube::ObjectKey& service : services) {
    if (service.ns != ns_) continue;
    Seen seen;
    bool leads_to_us = false;
    for (const auto& slice : state.SlicesOf(service)) {
      for (const kube::EndpointSubset& subset : slice->subsets) {
        for (const kube::Endpoint& endpoint : subset.endpoints) {
          const bool self = endpoint.target == pod_;
          leads_to_us |= self;
          (self ? seen.stays : seen.others) |= !endpoint.terminating;
        }
      }
    }
    if (leads_to_us || services_.contains(service)) services_[service] = seen;
  }
  changed_.notify_all();
}

bool Peers::AwaitLast(const Clock& clock, absl::Duration limit) {
  std::unique_lock<std::mutex> lock(mutex_);
  const auto any = [this](bool Seen::*what) {
    return std::any_of(services_.begin(), services_.end(),
                       [what](const auto& service) { return service.second.*what; });
  };
  clock.WaitUntil(lock, changed_, clock.MonotonicNow() + limit,
                  [&] { return !any(&Seen::stays) && !any(&Seen::others); });
  return !any(&Seen::others);
}

}  // namespace headgate::status
