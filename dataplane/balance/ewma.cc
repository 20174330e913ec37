#include "dataplane/balance/ewma.h"

#include <cmath>

namespace headgate::balance {
namespace {

float DecayOver(TimePoint from, TimePoint to) {
  if (to <= from) return 1;
  const std::chrono::duration<float> elapsed = to - from;
  return std::exp(-elapsed.count() / std::chrono::duration<float>(kEwmaDecay).count());
}

float CostAt(const Peer& peer, TimePoint now) { return peer.cost * DecayOver(peer.cost_at, now); }

}  // namespace

void Observe(Peer& peer, std::chrono::microseconds latency, TimePoint now) {
  const auto measured = static_cast<float>(latency.count());
  if (peer.cost < 0 || measured > CostAt(peer, now)) {
    peer.cost = measured;
  } else {
    const float kept = DecayOver(peer.cost_at, now);
    peer.cost = peer.cost * kept + measured * (1 - kept);
  }
  peer.cost_at = now;
}

float Score(const Peer& peer, TimePoint now) {
  if (peer.cost < 0) return 0;
  return CostAt(peer, now) * static_cast<float>(peer.active + 1);
}

void StartAtMean(std::span<Peer* const> peers, TimePoint now) {
  float sum = 0;
  int known = 0;
  for (const Peer* peer : peers) {
    if (peer->cost < 0) continue;
    sum += CostAt(*peer, now);
    ++known;
  }
  if (known == 0) return;
  for (Peer* peer : peers) {
    if (peer->cost >= 0) continue;
    peer->cost = sum / static_cast<float>(known);
    peer->cost_at = now;
  }
}

}  // namespace headgate::balance
