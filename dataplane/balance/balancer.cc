#include "dataplane/balance/balancer.h"

#include <algorithm>
#include <array>
#include <vector>

namespace headgate::balance {
namespace {

// Lower ones are used first.
enum TierNumber : size_t { kLive, kDraining, kTiers };

TierNumber TierOf(const Peer& peer) { return peer.draining ? kDraining : kLive; }

}  // namespace

void Balancer::Reset(std::span<Peer* const> peers) {
  first_.next.reset();
  const bool all = std::none_of(peers.begin(), peers.end(), [](const Peer* peer) { return peer->available; });
  Tier* tier = nullptr;
  std::vector<Peer*> members;
  for (size_t number = 0; number < kTiers; ++number) {
    members.clear();
    for (Peer* peer : peers) {
      if ((all || peer->available) && TierOf(*peer) == number) members.push_back(peer);
    }
    if (members.empty()) continue;
    if (tier == nullptr) {
      tier = &first_;
    } else {
      tier->next = std::make_unique<Tier>();
      tier = tier->next.get();
    }
    tier->policy.Reset(members, random_);
  }
  if (tier == nullptr) first_.policy.Reset({}, random_);
}

Peer* Balancer::Pick(const PickContext& context) {
  Peer* peer = PickFromTiers(context);
  if (peer == nullptr && !context.tried.empty()) {
    PickContext again = context;
    again.tried = {};
    peer = PickFromTiers(again);
  }
  return peer;
}

Peer* Balancer::PickFromTiers(const PickContext& context) {
  for (Tier* tier = &first_; tier != nullptr; tier = tier->next.get()) {
    if (Peer* peer = tier->policy.Pick(context)) return peer;
  }
  return nullptr;
}

}  // namespace headgate::balance
