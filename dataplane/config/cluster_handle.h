#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace headgate::config {

class ClusterRegistry;

// Small dense number of a cluster name. Workers index their state by it. A slot stays the same as
// long as any handle to the name lives, in any generation of the configuration.
using ClusterSlot = uint32_t;

// Counted reference to a cluster name. Made, copied and destroyed on the control thread only;
// workers read slot() of handles inside the immutable configuration.
class ClusterHandle {
 public:
  ClusterHandle() = default;
  ClusterHandle(const ClusterHandle& other);
  ClusterHandle(ClusterHandle&& other) noexcept;
  ClusterHandle& operator=(ClusterHandle other) noexcept;
  ~ClusterHandle();

  // REQUIRES: made by a registry.
  ClusterSlot slot() const { return slot_; }
  bool valid() const { return registry_ != nullptr; }
  // Control thread only. REQUIRES: valid().
  std::string_view name() const;

 private:
  friend class ClusterRegistry;
  ClusterHandle(ClusterRegistry* registry, ClusterSlot slot) : registry_(registry), slot_(slot) {}

  ClusterRegistry* registry_ = nullptr;
  ClusterSlot slot_ = 0;
};

// Gives out slots. A free slot is used again once no generation refers to it. Control thread only;
// outlives every handle.
class ClusterRegistry {
 public:
  ClusterHandle Acquire(std::string_view name);
  // Number of slots ever in use at once; workers size their tables by it.
  ClusterSlot slot_count() const { return static_cast<ClusterSlot>(slots_.size()); }
  std::string_view name(ClusterSlot slot) const { return slots_[slot].name; }

 private:
  friend class ClusterHandle;
  void Release(ClusterSlot slot);

  struct Slot {
    std::string name;
    uint32_t references = 0;
  };
  std::deque<Slot> slots_;  // never moves a slot: by_name_ looks at the names inside
  std::vector<ClusterSlot> free_;
  absl::flat_hash_map<std::string_view, ClusterSlot> by_name_;
};

}  // namespace headgate::config
