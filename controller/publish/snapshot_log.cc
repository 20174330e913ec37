#include "controller/publish/snapshot_log.h"

#include <utility>

namespace headgate::publish {

bool SnapshotLog::Apply(std::vector<Change> changes) {
  const Position before = next_;
  for (Change& change : changes) {
    auto found = entries_.find(change.name);
    const ResourcePtr old = found == entries_.end() ? nullptr : found->second.resource;
    if (old == nullptr && change.resource == nullptr) continue;
    if (old != nullptr && change.resource != nullptr && old->hash() == change.resource->hash()) {
      continue;
    }
    if (old != nullptr) {
      version_.Remove(change.name, old->hash());
      Count(change.name, -1);
    }
    if (change.resource != nullptr) {
      version_.Add(change.name, change.resource->hash());
      Count(change.name, +1);
    }
    if (found == entries_.end()) {
      found = entries_.try_emplace(std::move(change.name)).first;
    } else {
      order_.erase(found->second.position);
      removals_.erase(found->second.position);
    }
    Entry& entry = found->second;
    entry.resource = std::move(change.resource);
    entry.position = next_++;
    order_.emplace_hint(order_.end(), entry.position, &*found);
    if (entry.resource == nullptr) removals_.insert(removals_.end(), entry.position);
  }
  ForgetOldRemovals();
  return next_ != before;
}

void SnapshotLog::Count(const std::string& name, int by) {
  const std::string kind = name.substr(0, name.find('/'));
  count_by_kind_[kind] += static_cast<size_t>(by);
  live_count_ += static_cast<size_t>(by);
}

void SnapshotLog::ForgetOldRemovals() {
  while (removals_.size() > removed_limit_) {
    floor_ = *removals_.begin();
    removals_.erase(removals_.begin());
    auto place = order_.find(floor_);
    entries_.erase(std::string(place->second->first));
    order_.erase(place);
  }
}

Difference SnapshotLog::Head() const {
  return {.upserts = {},
          .removed = {},
          .version = version_.ToString(),
          .resource_count = live_count_,
          .position = position()};
}

Difference SnapshotLog::Since(Position position) const {
  Difference difference = Head();
  for (auto place = order_.upper_bound(position); place != order_.end(); ++place) {
    const auto& [name, entry] = *place->second;
    if (entry.resource != nullptr) {
      difference.upserts.push_back(entry.resource);
    } else {
      difference.removed.push_back(name);
    }
  }
  return difference;
}

Difference SnapshotLog::From(const absl::flat_hash_map<std::string, uint64_t>& held) const {
  Difference difference = Head();
  for (const auto& [position, place] : order_) {
    const auto& [name, entry] = *place;
    if (entry.resource == nullptr) continue;
    auto found = held.find(name);
    if (found == held.end() || found->second != entry.resource->hash()) {
      difference.upserts.push_back(entry.resource);
    }
  }
  for (const auto& [name, hash] : held) {
    if (Find(name) == nullptr) difference.removed.push_back(name);
  }
  return difference;
}

ResourcePtr SnapshotLog::Find(const std::string& name) const {
  auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : found->second.resource;
}

}  // namespace headgate::publish
