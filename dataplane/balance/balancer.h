#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "dataplane/balance/peer.h"
#include "dataplane/balance/random.h"
#include "dataplane/balance/round_robin.h"

namespace headgate::balance {

// Picks one of the endpoints of a cluster. They are used tier by tier, the next only when all of one have been tried:
// those that are available; those that are but drain. If there is nobody in any tier, whoever there is: an endpoint
// that is perhaps down is better than none.
//
// Thread: one per worker and cluster, no sharing.
class Balancer {
 public:
  // `seed` differs between workers and clusters.
  explicit Balancer(uint64_t seed) : random_(seed) {}

  // Takes the place of the earlier list, and takes notice of what has changed in peers. Linear in their number.
  void Reset(std::span<Peer* const> peers);

  // Nullptr: there are none. Of endpoints that have all been tried one is tried again.
  Peer* Pick(const PickContext& context);

 private:
  struct Tier {
    RoundRobin policy;
    std::unique_ptr<Tier> next;  // null, as nearly always, when there is nobody in any
  };

  Peer* PickFromTiers(const PickContext& context);

  Tier first_;
  Random random_;
};

}  // namespace headgate::balance
