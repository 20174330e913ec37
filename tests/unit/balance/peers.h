#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "dataplane/balance/peer.h"

namespace headgate::balance {

// Endpoints for tests of balancers; their ids are their positions.
class Peers {
 public:
  explicit Peers(size_t count) {
    for (size_t i = 0; i < count; ++i) Add();
  }
  explicit Peers(std::initializer_list<uint32_t> weights) {
    for (const uint32_t weight : weights) Add().weight = weight;
  }

  Peer& Add() {
    owned_.push_back(std::make_unique<Peer>(owned_.size()));
    all_.push_back(owned_.back().get());
    return *all_.back();
  }
  Peer& operator[](size_t i) { return *all_[i]; }
  const std::vector<Peer*>& all() const { return all_; }

 private:
  std::vector<std::unique_ptr<Peer>> owned_;
  std::vector<Peer*> all_;
};

// How often each was picked.
template <typename Picker>
std::map<PeerId, int> CountPicks(Picker& picker, int picks, const PickContext& context = {}) {
  std::map<PeerId, int> counts;
  for (int i = 0; i < picks; ++i) ++counts[picker.Pick(context)->id];
  return counts;
}

}  // namespace headgate::balance
