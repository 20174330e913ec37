#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/named.h"
#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::control {

// What the data plane holds: an index of names and hashes in memory and, when a directory is given,
// the resources themselves in an append-only log on disk, so that a restart serves without a
// controller.
//
// A commit costs as much as it changes. The process may be killed at any moment: the next Open()
// finds the last complete commit and cuts off the rest. Bytes damaged later end the log where the
// damage begins. When most of the file is superseded it is rewritten beside the old one and renamed
// over it. Commits are not flushed to the medium one by one: a power cut may lose the latest ones,
// never the wholeness of what is found. The file holds private keys and has mode 0600.
//
// Thread: one at a time.
class SnapshotStore {
 public:
  // `directory` is created when missing. Fails when it cannot be used or another process holds it.
  // A log that is damaged, or of another format, is no failure: what cannot be used is dropped.
  static absl::StatusOr<std::unique_ptr<SnapshotStore>> Open(const std::string& directory);
  // Without a directory: nothing survives the process.
  static std::unique_ptr<SnapshotStore> InMemory();

  ~SnapshotStore();
  SnapshotStore(const SnapshotStore&) = delete;
  SnapshotStore& operator=(const SnapshotStore&) = delete;

  // Version of the last commit; empty when there was none.
  const std::string& version() const { return version_; }
  // Number of resources held.
  size_t size() const { return held_.size(); }
  bool Holds(const std::string& name) const { return held_.contains(name); }

  struct HeldName {
    std::string_view name;
    uint64_t hash = 0;
  };
  // What to tell a controller, in no order. What the disk has missed (see Commit) has hash 0, which
  // no resource has, so that it comes again. Views are valid until the next call that is not const.
  std::vector<HeldName> Inventory() const;

  // Reads the resources of the last commit from disk. A resource that cannot be read is left out,
  // and forgotten.
  std::vector<v1::Resource> Load();

  // What `Load` gave but could not be used: the controller is to send it again.
  void Forget(const std::string& name);

  // Takes in what was applied. An error concerns the disk only: the index follows, the disk stays
  // at its last complete commit, and later commits reach it once every resource it missed has been
  // sent again.
  absl::Status Commit(std::string_view version, absl::Span<const v1::Resource* const> upserts,
                      absl::Span<const std::string> removed);
  // True while the disk lags behind after a failure.
  bool disk_behind() const { return !missed_.empty(); }

  // Size of the log in bytes; 0 without a directory.
  uint64_t file_size() const { return file_size_; }

 private:
  struct Held {
    uint64_t hash = 0;
    // Where the record's frame is in the log; size 0: not on disk.
    uint64_t offset = 0;
    uint32_t size = 0;
  };
  struct Entry final : Held, Named<Entry> {
    explicit Entry(const Held& held) : Held(held) {}
  };

  SnapshotStore() = default;

  // Frames written or found, waiting for their commit.
  struct Pending {
    std::string name;
    std::optional<Held> held;  // nullopt: a removal
  };

  absl::Status Replay();
  absl::Status StartNewFile();
  absl::Status Append(std::string_view version, absl::Span<const v1::Resource* const> upserts,
                      absl::Span<const std::string> removed);
  // Whether this commit, with removals to be added, brings the disk up to date again.
  bool CoversMissed(absl::Span<const v1::Resource* const> upserts,
                    absl::Span<const std::string> removed) const;
  bool CompactionPays() const;
  absl::Status Compact();
  struct Moved {
    Entry* entry;
    uint64_t offset;  // in the new file
  };
  absl::Status CopyLive(int new_fd, const std::string& new_path, std::vector<Moved>& moved,
                        uint64_t& new_size);
  // Those on disk.
  std::vector<Entry*> InFileOrder() const;
  void TakeIn(std::vector<Pending> pending);
  absl::StatusOr<v1::Resource> Read(const Entry& entry) const;

  std::string path_;  // of the log; empty when in memory only
  int directory_fd_ = -1;
  int lock_fd_ = -1;
  int fd_ = -1;
  std::string version_;
  NamedSet<Entry> held_;
  uint64_t file_size_ = 0;         // up to and including the last commit
  uint64_t live_bytes_ = 0;        // frames in held_
  uint64_t compaction_floor_ = 0;  // no compaction below this size: the last one failed
  // Names whose last change the disk has not seen: after a failed write, or forgotten.
  absl::flat_hash_set<std::string> missed_;
};

}  // namespace headgate::control
