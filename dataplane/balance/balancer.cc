#include "dataplane/balance/balancer.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace headgate::balance {
namespace {

// Lower ones are used first.
enum TierNumber : size_t { kLive, kDraining, kBackup, kBackupDraining, kTiers };

bool Draws(Policy policy) {
  return policy == Policy::kRandom || policy == Policy::kLeastRequest || policy == Policy::kEwma;
}

TierNumber TierOf(const Peer& peer) {
  if (peer.backup) return peer.draining ? kBackupDraining : kBackup;
  return peer.draining ? kDraining : kLive;
}

}  // namespace

void Balancer::Reset(const PolicySpec& spec, std::shared_ptr<const HashRing> ring,
                     std::span<Peer* const> peers, TimePoint now) {
  ring_.reset();
  const auto first_backup =
      std::find_if(peers.begin(), peers.end(), [](const Peer* peer) { return peer->backup; });
  const auto primaries = peers.first(static_cast<size_t>(first_backup - peers.begin()));
  const bool only_backups =
      std::none_of(primaries.begin(), primaries.end(),
                   [](const Peer* peer) { return peer->available; }) &&
      std::any_of(first_backup, peers.end(), [](const Peer* peer) { return peer->available; });
  if (ring != nullptr && !only_backups) {
    ring_ = std::make_unique<RingPicker>(std::move(ring), spec);
    ring_->Reset(primaries);
  }
  first_.next.reset();
  first_.sampler.reset();
  const bool all =
      std::none_of(peers.begin(), peers.end(), [](const Peer* peer) { return peer->available; });
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
    if (Draws(spec.policy)) {
      tier->sampler = std::make_unique<Sampler>(spec.policy);
      tier->sampler->Reset(members, now);
    } else {
      tier->turns.Reset(members, random_);
    }
  }
  if (tier == nullptr) first_.turns.Reset({}, random_);
}

Peer* Balancer::Pick(const PickContext& context) {
  Peer* peer = PickOnce(context);
  if (peer == nullptr && !context.tried.empty()) {
    PickContext again = context;
    again.tried = {};
    peer = PickOnce(again);
  }
  return peer;
}

Peer* Balancer::PickOnce(const PickContext& context) {
  if (ring_ != nullptr && context.hash) return ring_->Pick(context, random_);
  for (Tier* tier = &first_; tier != nullptr; tier = tier->next.get()) {
    Peer* peer = tier->sampler != nullptr ? tier->sampler->Pick(context, random_)
                                          : tier->turns.Pick(context);
    if (peer != nullptr) return peer;
  }
  return nullptr;
}

}  // namespace headgate::balance
