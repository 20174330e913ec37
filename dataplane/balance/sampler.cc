#include "dataplane/balance/sampler.h"

#include <algorithm>

#include "dataplane/balance/ewma.h"

namespace headgate::balance {
namespace {

// Lots drawn in vain before every endpoint is looked at: only where most have been tried or weigh
// next to nothing.
constexpr int kDraws = 8;

float WeightOf(const Peer& peer) {
  return static_cast<float>(std::max<uint32_t>(peer.weight, 1)) * peer.share;
}

}  // namespace

void Sampler::Reset(std::span<Peer* const> peers, TimePoint now) {
  peers_.assign(peers.begin(), peers.end());
  peers_.shrink_to_fit();
  sums_.clear();
  if (policy_ == Policy::kEwma) StartAtMean(peers, now);
  const bool equal = std::all_of(peers.begin(), peers.end(), [&](const Peer* peer) {
    return WeightOf(*peer) == WeightOf(*peers.front());
  });
  if (equal) return;
  float sum = 0;
  for (const Peer* peer : peers) sums_.push_back(sum += WeightOf(*peer));
}

Peer* Sampler::Pick(const PickContext& context, Random& random) {
  Peer* first = DrawUntried(context, nullptr, random);
  if (first == nullptr || policy_ == Policy::kRandom || peers_.size() == 1) return first;
  Peer* second = DrawUntried(context, first, random);
  return second != nullptr && Better(*second, *first, context) ? second : first;
}

bool Sampler::Better(const Peer& a, const Peer& b, const PickContext& context) const {
  if (policy_ == Policy::kEwma) return Score(a, context.now) < Score(b, context.now);
  // Under way in proportion to weight; without load the lot alone decides, which follows the
  // weights as well.
  return static_cast<float>(a.active) * WeightOf(b) < static_cast<float>(b.active) * WeightOf(a);
}

Peer* Sampler::Draw(Random& random) const {
  if (sums_.empty()) return peers_[random.Below(static_cast<uint32_t>(peers_.size()))];
  constexpr float kUnit = 1.0F / (1U << 24);
  const float lot = static_cast<float>(random.Next() >> 40) * kUnit * sums_.back();
  const auto at = std::upper_bound(sums_.begin(), sums_.end() - 1, lot);
  return peers_[static_cast<size_t>(at - sums_.begin())];
}

Peer* Sampler::DrawUntried(const PickContext& context, const Peer* other, Random& random) const {
  if (peers_.empty()) return nullptr;
  const auto fits = [&](const Peer& peer) { return &peer != other && !WasTried(context, peer); };
  for (int i = 0; i < kDraws; ++i) {
    Peer* peer = Draw(random);
    if (fits(*peer)) return peer;
  }
  size_t at = random.Below(static_cast<uint32_t>(peers_.size()));
  for (size_t step = 0; step < peers_.size(); ++step) {
    if (fits(*peers_[at])) return peers_[at];
    at = at + 1 == peers_.size() ? 0 : at + 1;
  }
  return nullptr;
}

}  // namespace headgate::balance
