#include "dataplane/balance/ring_picker.h"

#include <algorithm>

namespace headgate::balance {

uint32_t RingPicker::NodesFor(const PolicySpec& spec, size_t endpoints) {
  const auto count = static_cast<uint32_t>(endpoints);
  if (spec.policy != Policy::kHashSubset) return count;
  return (count + spec.subset_size - 1) / spec.subset_size;
}

void RingPicker::Reset(std::span<Peer* const> peers) {
  peers_.assign(peers.begin(), peers.end());
  peers_.shrink_to_fit();
  all_ = std::none_of(peers.begin(), peers.end(), [](const Peer* peer) { return peer->available; });
  live_ = static_cast<uint32_t>(std::count_if(peers.begin(), peers.end(), [this](const Peer* peer) {
    return (all_ || peer->available) && !peer->draining;
  }));
}

Peer* RingPicker::Pick(const PickContext& context, Random& random) const {
  if (ring_->node_count() == 0 || peers_.empty()) return nullptr;
  if (context.keeps_session) return PickBy(Standard::kServing, context, random);
  Peer* peer = nullptr;
  if (spec_.bound_percent != 0) peer = PickBy(Standard::kBounded, context, random);
  if (peer == nullptr && live_ > 0) peer = PickBy(Standard::kLive, context, random);
  return peer != nullptr ? peer : PickBy(Standard::kServing, context, random);
}

Peer* RingPicker::PickBy(Standard standard, const PickContext& context, Random& random) const {
  HashRing::Walk walk = ring_->Find(*context.hash);
  for (size_t step = ring_->point_count(); step > 0; --step, walk.Next()) {
    if (Peer* peer = PickFromNode(walk.node(), standard, context, random)) return peer;
  }
  return nullptr;
}

Peer* RingPicker::PickFromNode(uint32_t node, Standard standard, const PickContext& context,
                               Random& random) const {
  if (spec_.policy != Policy::kHashSubset) {
    return Meets(*peers_[node], standard, context) ? peers_[node] : nullptr;
  }
  const uint32_t lot = random.Below(spec_.subset_size);
  for (uint32_t i = 0; i < spec_.subset_size; ++i) {
    // The last subset is filled up from the beginning of the list.
    const size_t member = node * spec_.subset_size + (lot + i) % spec_.subset_size;
    Peer* peer = peers_[member % peers_.size()];
    if (Meets(*peer, standard, context)) return peer;
  }
  return nullptr;
}

bool RingPicker::Meets(const Peer& peer, Standard standard, const PickContext& context) const {
  if (!(all_ || peer.available) || WasTried(context, peer)) return false;
  if (standard == Standard::kServing) return true;
  if (peer.draining) return false;
  if (standard == Standard::kLive) return true;
  const uint64_t allowed = uint64_t{spec_.bound_percent} * (context.active_total + 1);
  // At most the bound, rounded up, of the mean with this request.
  return uint64_t{peer.active} * 100 * live_ < allowed;
}

}  // namespace headgate::balance
