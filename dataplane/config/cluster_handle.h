#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "common/named.h"

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
  // The slot of a name that some handle refers to.
  std::optional<ClusterSlot> Find(std::string_view name) const;
  // Number of slots ever in use at once; workers size their tables by it.
  ClusterSlot slot_count() const { return static_cast<ClusterSlot>(slots_.size()); }
  // REQUIRES: some handle refers to it.
  std::string_view name(ClusterSlot slot) const { return slots_[slot]->name(); }

 private:
  friend class ClusterHandle;
  void Release(ClusterSlot slot);

  struct Slot final : Named<Slot> {
    explicit Slot(ClusterSlot its_number) : number(its_number) {}
    const ClusterSlot number;
    uint32_t references = 1;
  };
  NamedSet<Slot> by_name_;
  std::vector<Slot*> slots_;  // by number; null: free
  std::vector<ClusterSlot> free_;
};

}  // namespace headgate::config
