#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/balance/peer.h"
#include "dataplane/balance/policy.h"
#include "dataplane/balance/random.h"

namespace headgate::balance {

// The policies that draw lots: an endpoint at random, or the better one of two drawn at random.
// Chances follow the weights. A pick costs the same however many endpoints there are, with unequal
// weights it grows with their logarithm.
class Sampler {
 public:
  // `policy`: kRandom, kLeastRequest or kEwma.
  explicit Sampler(Policy policy) : policy_(policy) {}

  // Takes the place of the earlier list. Linear in the number of peers.
  void Reset(std::span<Peer* const> peers, TimePoint now);

  // An endpoint that was not tried; nullptr: there is none.
  Peer* Pick(const PickContext& context, Random& random);

 private:
  Peer* Draw(Random& random) const;
  // One that was not tried and is not `other`; nullptr: there is none.
  Peer* DrawUntried(const PickContext& context, const Peer* other, Random& random) const;
  bool Better(const Peer& a, const Peer& b, const PickContext& context) const;

  const Policy policy_;
  std::vector<Peer*> peers_;
  std::vector<float> sums_;  // running sums of weights; empty: all are equal
};

}  // namespace headgate::balance
