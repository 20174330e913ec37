#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace headgate::balance {

// What a balancer knows of an endpoint. Endpoints are told apart by their index in the list given.
struct Candidate {
  uint32_t weight = 1;    // relative, at least 1
  bool draining = false;  // picked only when no other is left
};

struct Choice {
  uint32_t index = 0;
  // Every endpoint has been tried in this exchange, so this one is being tried again.
  bool repeated = false;
};

// Smooth weighted round robin over the endpoints of one cluster: in any run of sum-of-weights picks each endpoint
// gets its weight, spread evenly. With equal weights a pick costs the same however many endpoints there are, with
// unequal ones it grows with their logarithm.
//
// Thread: one per worker and cluster, no sharing. Each starts at a random place, so that many workers do not send
// their first requests to the same endpoint.
class RoundRobin {
 public:
  // `seed` differs between workers and clusters.
  explicit RoundRobin(uint64_t seed) : random_(seed) {}

  // Takes the place of the earlier list. Linear in the number of candidates.
  void Reset(std::span<const Candidate> candidates);

  // The next endpoint, or nullopt if there are none. `tried(index)` says whether this exchange has used an endpoint
  // before. Preferred are, in this order: live ones not tried, draining ones not tried, live ones, draining ones.
  template <typename Tried>
  std::optional<Choice> Pick(Tried&& tried) {
    if (const auto index = live_.Next(tried)) return Choice{*index, false};
    if (draining_ != nullptr) {
      if (const auto index = draining_->Next(tried)) return Choice{*index, false};
    }
    const auto any = [](uint32_t) { return false; };
    if (const auto index = live_.Next(any)) return Choice{*index, true};
    if (draining_ != nullptr) {
      if (const auto index = draining_->Next(any)) return Choice{*index, true};
    }
    return std::nullopt;
  }
  std::optional<Choice> Pick() {
    return Pick([](uint32_t) { return false; });
  }

  size_t live_count() const { return live_.size(); }

 private:
  // A cycle over some of the endpoints.
  class Ring {
   public:
    void Reset(std::span<const Candidate> candidates, bool draining, uint64_t& random);
    size_t size() const { return entries_.size(); }

    // The next endpoint for which `tried` is false.
    template <typename Tried>
    std::optional<uint32_t> Next(Tried& tried) {
      if (entries_.empty()) return std::nullopt;
      return equal_ ? NextEqual(tried) : NextWeighted(tried);
    }

   private:
    struct Entry {
      uint64_t due;     // virtual time of the next turn
      uint64_t stride;  // virtual time between turns: inversely proportional to the weight
      uint32_t index;
    };
    // The heap has the entry that is due first on top.
    static bool Later(const Entry& a, const Entry& b) {
      return a.due != b.due ? a.due > b.due : a.index > b.index;
    }

    template <typename Tried>
    std::optional<uint32_t> NextEqual(Tried& tried) {
      for (size_t step = 0; step < entries_.size(); ++step) {
        const uint32_t index = entries_[cursor_].index;
        cursor_ = cursor_ + 1 == entries_.size() ? 0 : cursor_ + 1;
        if (!tried(index)) return index;
      }
      return std::nullopt;
    }

    template <typename Tried>
    std::optional<uint32_t> NextWeighted(Tried& tried) {
      std::optional<uint32_t> found;
      std::vector<Entry> passed_over;  // filled by retries only
      while (!entries_.empty()) {
        Entry entry = PopFirst();
        if (!tried(entry.index)) {
          found = entry.index;
          entry.due += entry.stride;
          Push(entry);
          break;
        }
        passed_over.push_back(entry);
      }
      for (const Entry& entry : passed_over) Push(entry);
      return found;
    }

    Entry PopFirst();
    void Push(const Entry& entry);

    std::vector<Entry> entries_;
    uint32_t cursor_ = 0;
    bool equal_ = true;
  };

  Ring live_;
  std::unique_ptr<Ring> draining_;  // null, as nearly always, when there are none
  uint64_t random_;
};

}  // namespace headgate::balance
