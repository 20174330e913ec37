#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/node_hash_map.h"
#include "controller/publish/version.h"
#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::publish {

using ResourcePtr = std::shared_ptr<const v1::Resource>;

// One name that changed.
struct Change {
  std::string name;
  ResourcePtr resource;  // null: removed
};

// Position in the order of changes. 0: before the first one.
using Position = uint64_t;

// What one data plane has to be told, frozen at one moment: pointers only, whatever the size of the
// snapshot.
struct Difference {
  std::vector<ResourcePtr> upserts;
  std::vector<std::string> removed;
  // Of the snapshot that the difference leads to.
  std::string version;
  uint64_t resource_count = 0;
  Position position = 0;
};

// The current snapshot with the order in which its names last changed. Each name has one place in
// that order, its newest, so that what happened since a position is found in time proportional to
// the answer, however many changes a slow reader has missed. Removed names keep a place, too, up to
// a limit.
//
// Not thread-safe.
class SnapshotLog {
 public:
  // `removed_limit`: number of removed names remembered. A reader that lags behind the oldest
  // forgotten one needs a full comparison.
  explicit SnapshotLog(size_t removed_limit = 100'000) : removed_limit_(removed_limit) {}

  // Takes in a change set. Entries that change nothing (same hash, unknown removal) are dropped;
  // false when nothing was left. A name occurs at most once.
  bool Apply(std::vector<Change> changes);

  Position position() const { return next_ - 1; }
  std::string version() const { return version_.ToString(); }
  size_t size() const { return live_count_; }

  // Whether Since(position) can be told.
  bool Reaches(Position position) const { return position >= floor_; }
  // What changed after `position`.  REQUIRES: Reaches(position).
  Difference Since(Position position) const;
  // What leads from `held` (name to hash) to the current snapshot.
  Difference From(const absl::flat_hash_map<std::string, uint64_t>& held) const;

  // Of a name, or null.
  ResourcePtr Find(const std::string& name) const;
  // Number of resources by kind, the name's part before the first '/'.
  const std::map<std::string, size_t>& count_by_kind() const { return count_by_kind_; }

 private:
  struct Entry {
    ResourcePtr resource;  // null: removed
    Position position = 0;
  };
  using Entries = absl::node_hash_map<std::string, Entry>;

  void Count(const std::string& name, int by);
  void ForgetOldRemovals();
  Difference Head() const;

  size_t removed_limit_;
  // Nodes stay where they are, so that order_ can point at them.
  Entries entries_;
  std::map<Position, const Entries::value_type*> order_;
  std::set<Position> removals_;  // those of order_ that are removed names
  std::map<std::string, size_t> count_by_kind_;
  size_t live_count_ = 0;
  ContentVersion version_;
  Position next_ = 1;
  Position floor_ = 0;  // position of the newest removal forgotten
};

}  // namespace headgate::publish
