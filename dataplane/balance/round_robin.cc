#include "dataplane/balance/round_robin.h"

#include <algorithm>
#include <vector>

namespace headgate::balance {
namespace {

// Virtual time between two turns of an endpoint of weight 1. Divided by 32-bit weights it keeps
// enough digits, and 2^63 / 2^40 turns of weight 1 pass before it would overflow.
constexpr uint64_t kStrideOfWeightOne = uint64_t{1} << 40;
// The longest between two turns, however small an endpoint's share.
constexpr double kLeastWeight = 1.0 / 1024;

uint64_t StrideOf(const Peer& peer) {
  const uint32_t weight = std::max<uint32_t>(peer.weight, 1);
  if (peer.share >= 1) return kStrideOfWeightOne / weight;
  return static_cast<uint64_t>(static_cast<double>(kStrideOfWeightOne) /
                               std::max(weight * double{peer.share}, kLeastWeight));
}

}  // namespace

void RoundRobin::Reset(std::span<Peer* const> peers, Random& random) {
  entries_.clear();
  equal_ = true;
  for (Peer* peer : peers) {
    entries_.push_back({.due = 0, .stride = StrideOf(*peer), .peer = peer});
    equal_ = equal_ && entries_.back().stride == entries_.front().stride;
  }
  entries_.shrink_to_fit();
  if (entries_.empty()) return;
  cursor_ = random.Below(static_cast<uint32_t>(entries_.size()));
  if (equal_) return;
  // A random moment of the endless schedule: everyone is somewhere between two turns.
  for (Entry& entry : entries_) entry.due = random.Next() % entry.stride;
  std::make_heap(entries_.begin(), entries_.end(), Later);
}

Peer* RoundRobin::PickEqual(const PickContext& context) {
  for (size_t step = 0; step < entries_.size(); ++step) {
    Peer* peer = entries_[cursor_].peer;
    cursor_ = cursor_ + 1 == entries_.size() ? 0 : cursor_ + 1;
    if (!WasTried(context, *peer)) return peer;
  }
  return nullptr;
}

Peer* RoundRobin::PickWeighted(const PickContext& context) {
  Peer* found = nullptr;
  std::vector<Entry> passed_over;  // filled by retries only
  while (!entries_.empty()) {
    Entry entry = PopFirst();
    if (!WasTried(context, *entry.peer)) {
      found = entry.peer;
      entry.due += entry.stride;
      Push(entry);
      break;
    }
    passed_over.push_back(entry);
  }
  for (const Entry& entry : passed_over) Push(entry);
  return found;
}

RoundRobin::Entry RoundRobin::PopFirst() {
  std::pop_heap(entries_.begin(), entries_.end(), Later);
  const Entry first = entries_.back();
  entries_.pop_back();
  return first;
}

void RoundRobin::Push(const Entry& entry) {
  entries_.push_back(entry);
  std::push_heap(entries_.begin(), entries_.end(), Later);
}

}  // namespace headgate::balance
