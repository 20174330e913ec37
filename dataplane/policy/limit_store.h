#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "dataplane/policy/rate_limit.h"

namespace headgate::policy {

// A hash table of bounded size that knows which of its entries was used longest ago. Memory grows
// with the number of entries up to the bound, and is used again from then on. A value of one owner;
// pointers are valid until the next Add.
template <typename Value>
class LimitStore {
 public:
  explicit LimitStore(size_t capacity = 0) : capacity_(capacity) {}

  // Null when there is none. What is found becomes the newest.
  Value* Find(const LimitKey& key) {
    const uint32_t index = Lookup(key);
    if (index == kNone) return nullptr;
    Unlink(index);
    LinkNewest(index);
    return &slots_[index].value;
  }

  // A new entry. REQUIRES: not full(), and there is none of that key.
  Value* Add(const LimitKey& key) {
    if (heads_.empty()) heads_.assign(BucketCount(), kNone);
    uint32_t index = free_;
    if (index != kNone) {
      free_ = slots_[index].next;
    } else {
      index = static_cast<uint32_t>(slots_.size());
      slots_.emplace_back();
    }
    Slot& slot = slots_[index];
    slot.key = key;
    slot.value = Value();
    uint32_t& head = heads_[BucketOf(key)];
    slot.next = head;
    head = index;
    LinkNewest(index);
    ++size_;
    return &slot.value;
  }

  void Remove(const LimitKey& key) {
    const uint32_t index = Lookup(key);
    if (index == kNone) return;
    uint32_t* link = &heads_[BucketOf(key)];
    while (*link != index) link = &slots_[*link].next;
    *link = slots_[index].next;
    Unlink(index);
    slots_[index].next = free_;
    free_ = index;
    --size_;
  }

  // Null when there is none.
  const Value* oldest() const { return oldest_ == kNone ? nullptr : &slots_[oldest_].value; }
  void RemoveOldest() { Remove(LimitKey(slots_[oldest_].key)); }

  bool full() const { return size_ >= capacity_; }
  size_t size() const { return size_; }

 private:
  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
  struct Slot {
    LimitKey key;
    Value value;
    uint32_t next = kNone;  // in its bucket, or among the free ones
    uint32_t older = kNone;
    uint32_t newer = kNone;
  };

  size_t BucketCount() const {
    size_t count = 16;
    while (count < capacity_) count *= 2;
    return count;
  }
  size_t BucketOf(const LimitKey& key) const { return key.words[0] & (heads_.size() - 1); }
  uint32_t Lookup(const LimitKey& key) const {
    if (heads_.empty()) return kNone;
    uint32_t index = heads_[BucketOf(key)];
    while (index != kNone && slots_[index].key != key) index = slots_[index].next;
    return index;
  }
  void LinkNewest(uint32_t index) {
    slots_[index].older = newest_;
    slots_[index].newer = kNone;
    (newest_ == kNone ? oldest_ : slots_[newest_].newer) = index;
    newest_ = index;
  }
  void Unlink(uint32_t index) {
    const Slot& slot = slots_[index];
    (slot.older == kNone ? oldest_ : slots_[slot.older].newer) = slot.newer;
    (slot.newer == kNone ? newest_ : slots_[slot.newer].older) = slot.older;
  }

  size_t capacity_;
  size_t size_ = 0;
  std::vector<uint32_t> heads_;
  std::vector<Slot> slots_;
  uint32_t free_ = kNone;
  uint32_t oldest_ = kNone;
  uint32_t newest_ = kNone;
};

}  // namespace headgate::policy
