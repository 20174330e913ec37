#include "dataplane/balance/round_robin.h"

#include <algorithm>

namespace headgate::balance {
namespace {

// SplitMix64: small, and any seed will do.
uint64_t NextRandom(uint64_t& state) {
  state += 0x9e3779b97f4a7c15;
  uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

// Virtual time between two turns of an endpoint of weight 1. Divided by 32-bit weights it keeps enough digits, and
// 2^63 / 2^40 turns of weight 1 pass before it would overflow.
constexpr uint64_t kStrideOfWeightOne = uint64_t{1} << 40;

}  // namespace

void RoundRobin::Reset(std::span<const Candidate> candidates) {
  live_.Reset(candidates, false, random_);
  draining_.reset();
  if (live_.size() == candidates.size()) return;
  draining_ = std::make_unique<Ring>();
  draining_->Reset(candidates, true, random_);
}

void RoundRobin::Ring::Reset(std::span<const Candidate> candidates, bool draining,
                             uint64_t& random) {
  entries_.clear();
  equal_ = true;
  for (uint32_t i = 0; i < candidates.size(); ++i) {
    if (candidates[i].draining != draining) continue;
    const uint64_t weight = std::max<uint32_t>(candidates[i].weight, 1);
    entries_.push_back({.due = 0, .stride = kStrideOfWeightOne / weight, .index = i});
    equal_ = equal_ && entries_.back().stride == entries_.front().stride;
  }
  entries_.shrink_to_fit();
  if (entries_.empty()) return;
  cursor_ = static_cast<uint32_t>(NextRandom(random) % entries_.size());
  if (equal_) return;
  // A random moment of the endless schedule: everyone is somewhere between two turns.
  for (Entry& entry : entries_) entry.due = NextRandom(random) % entry.stride;
  std::make_heap(entries_.begin(), entries_.end(), Later);
}

RoundRobin::Ring::Entry RoundRobin::Ring::PopFirst() {
  std::pop_heap(entries_.begin(), entries_.end(), Later);
  const Entry first = entries_.back();
  entries_.pop_back();
  return first;
}

void RoundRobin::Ring::Push(const Entry& entry) {
  entries_.push_back(entry);
  std::push_heap(entries_.begin(), entries_.end(), Later);
}

}  // namespace headgate::balance
