#include "dataplane/config/cluster_handle.h"

#include <utility>

#include "common/check.h"

namespace headgate::config {

ClusterHandle::ClusterHandle(const ClusterHandle& other)
    : registry_(other.registry_), slot_(other.slot_) {
  if (registry_ != nullptr) ++registry_->slots_[slot_].references;
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
    ++slots_[known->second].references;
    return ClusterHandle(this, known->second);
  }
  ClusterSlot slot;
  if (free_.empty()) {
    slot = static_cast<ClusterSlot>(slots_.size());
    slots_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  slots_[slot] = {std::string(name), 1};
  by_name_.emplace(slots_[slot].name, slot);
  return ClusterHandle(this, slot);
}

void ClusterRegistry::Release(ClusterSlot slot) {
  HEADGATE_CHECK(slots_[slot].references > 0);
  if (--slots_[slot].references > 0) return;
  by_name_.erase(slots_[slot].name);
  slots_[slot].name = std::string();
  free_.push_back(slot);
}

std::string_view ClusterHandle::name() const { return registry_->name(slot_); }

}  // namespace headgate::config
