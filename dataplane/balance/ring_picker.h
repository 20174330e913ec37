#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/balance/hash_ring.h"
#include "dataplane/balance/peer.h"
#include "dataplane/balance/policy.h"
#include "dataplane/balance/random.h"

namespace headgate::balance {

// Picks by a hash: equal ones come to the same endpoint. An endpoint that is unavailable or drains
// is passed over, and what falls to it falls to those after it on the ring until it is back;
// nothing else moves.
class RingPicker {
 public:
  RingPicker(std::shared_ptr<const HashRing> ring, const PolicySpec& spec)
      : ring_(std::move(ring)), spec_(spec) {}

  // Number of nodes that the ring must have: one for each endpoint or, for kHashSubset, for each
  // subset.
  static uint32_t NodesFor(const PolicySpec& spec, size_t endpoints);

  // REQUIRES: the ring was made for as many, in the same order. Linear in the number of peers.
  void Reset(std::span<Peer* const> peers);

  // An endpoint that was not tried; nullptr: there is none. REQUIRES: context.hash.
  Peer* Pick(const PickContext& context, Random& random) const;

 private:
  // From the first usable one to the last resort.
  enum class Standard : uint8_t { kBounded, kLive, kServing };

  Peer* PickBy(Standard standard, const PickContext& context, Random& random) const;
  Peer* PickFromNode(uint32_t node, Standard standard, const PickContext& context,
                     Random& random) const;
  bool Meets(const Peer& peer, Standard standard, const PickContext& context) const;

  const std::shared_ptr<const HashRing> ring_;
  const PolicySpec spec_;
  std::vector<Peer*> peers_;
  uint32_t live_ = 0;
  bool all_ = false;  // nobody is available, so everybody counts as being so
};

}  // namespace headgate::balance
