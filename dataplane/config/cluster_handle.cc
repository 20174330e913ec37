#include "dataplane/config/cluster_handle.h"

#include <utility>

#include "common/check.h"

namespace headgate::config {

ClusterHandle::ClusterHandle(const ClusterHandle& other)
    : registry_(other.registry_), slot_(other.slot_) {
  if (registry_ != nullptr) ++registry_->slots_[slot_]->references;
}

ClusterHandle::ClusterHandle(ClusterHandle&& other) noexcept
    : registry_(std::exchange(other.registry_, nullptr)), slot_(other.slot_) {}

ClusterHandle& ClusterHandle::operator=(ClusterHandle other) noexcept {
  std::swap(registry_, other.registry_);
  std::swap(slot_, other.slot_);
  return *this;
}

ClusterHandle::~ClusterHandle() {
  if (registry_ != nullptr) registry_->Release(slot_);
}

ClusterHandle ClusterRegistry::Acquire(std::string_view name) {
  const auto known = by_name_.find(name);
  if (known != by_name_.end()) {
    ++(*known)->references;
    return ClusterHandle(this, (*known)->number);
  }
  ClusterSlot slot;
  if (free_.empty()) {
    slot = slot_count();
    slots_.push_back(nullptr);
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  slots_[slot] = by_name_.insert(Slot::Make(name, slot)).first->get();
  return ClusterHandle(this, slot);
}

std::optional<ClusterSlot> ClusterRegistry::Find(std::string_view name) const {
  const auto known = by_name_.find(name);
  if (known == by_name_.end()) return std::nullopt;
  return (*known)->number;
}

void ClusterRegistry::Release(ClusterSlot slot) {
  HEADGATE_CHECK(slots_[slot]->references > 0);
  if (--slots_[slot]->references > 0) return;
  by_name_.erase(by_name_.find(slots_[slot]->name()));
  slots_[slot] = nullptr;
  free_.push_back(slot);
}

std::string_view ClusterHandle::name() const { return registry_->name(slot_); }

}  // namespace headgate::config
