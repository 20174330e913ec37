#pragma once

#include <cstdint>
#include <span>

#include "absl/container/inlined_vector.h"
#include "dataplane/balance/peer.h"
#include "dataplane/balance/random.h"

namespace headgate::balance {

// Smooth weighted round robin: in any run of sum-of-weights picks each endpoint gets its weight,
// spread evenly. With equal weights a pick costs the same however many endpoints there are, with
// unequal ones it grows with their logarithm.
class RoundRobin {
 public:
  // Takes the place of the earlier list. Begins at a random place, so that many workers do not send
  // their first requests to the same endpoint. Linear in the number of peers.
  void Reset(std::span<Peer* const> peers, Random& random);

  // The next endpoint that was not tried; nullptr: there is none.
  Peer* Pick(const PickContext& context) {
    if (entries_.empty()) return nullptr;
    return equal_ ? PickEqual(context) : PickWeighted(context);
  }

 private:
  struct Entry {
    uint64_t due;     // virtual time of the next turn
    uint64_t stride;  // virtual time between turns: inversely proportional to the weight
    Peer* peer;
  };
  // The heap has the entry that is due first on top.
  static bool Later(const Entry& a, const Entry& b) {
    return a.due != b.due ? a.due > b.due : a.peer->id > b.peer->id;
  }

  Peer* PickEqual(const PickContext& context);
  Peer* PickWeighted(const PickContext& context);
  Entry PopFirst();
  void Push(const Entry& entry);

  absl::InlinedVector<Entry, 1> entries_;  // of thousands of clusters many have one endpoint
  uint32_t cursor_ = 0;
  bool equal_ = true;
};

}  // namespace headgate::balance
