#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "dataplane/balance/hash_ring.h"
#include "dataplane/balance/peer.h"
#include "dataplane/balance/policy.h"
#include "dataplane/balance/random.h"
#include "dataplane/balance/ring_picker.h"
#include "dataplane/balance/round_robin.h"
#include "dataplane/balance/sampler.h"

namespace headgate::balance {

// Picks one of the endpoints of a cluster, by its policy. They are used tier by tier, the next only
// when all of one have been tried: those that are available; those that are but drain; backups
// likewise. If there is nobody in any tier, whoever there is: an endpoint that is perhaps down is
// better than none.
//
// Thread: one per worker and cluster, no sharing.
class Balancer {
 public:
  // `seed` differs between workers and clusters.
  explicit Balancer(uint64_t seed) : random_(seed) {}

  // Takes the place of the earlier policy and list, and takes notice of what has changed in peers.
  // Linear in their number. Backups come last in the list. `ring`: of the other peers (RingPicker);
  // with one, picks with a hash go by it, whatever the policy. Null: none does.
  void Reset(const PolicySpec& spec, std::shared_ptr<const HashRing> ring,
             std::span<Peer* const> peers, TimePoint now);

  // Nullptr: there are none. Of endpoints that have all been tried one is tried again.
  Peer* Pick(const PickContext& context);

 private:
  struct Tier {
    RoundRobin turns;
    std::unique_ptr<Sampler> sampler;  // instead of turns, with policies that want it
    std::unique_ptr<Tier> next;        // null, as nearly always, when there is nobody in any
  };

  Peer* PickOnce(const PickContext& context);

  Tier first_;
  std::unique_ptr<RingPicker> ring_;
  Random random_;
};

}  // namespace headgate::balance
