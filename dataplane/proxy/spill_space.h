#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "dataplane/net/socket.h"

namespace headgate::proxy {

// Room on disk for bodies that do not fit in memory: one directory, and one limit for all that is
// in it.
//
// One per process, outlives every SpillFile. Any thread: workers share nothing here but one number,
// touched once for each write to a file.
class SpillSpace {
 public:
  // `limit` in bytes; 0: nothing is ever written. The directory is used with the first file.
  SpillSpace(std::string directory, uint64_t limit)
      : directory_(std::move(directory)), limit_(limit) {}
  SpillSpace(const SpillSpace&) = delete;
  SpillSpace& operator=(const SpillSpace&) = delete;

  uint64_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  friend class SpillFile;
  // A file without a name: it ends with its descriptor, however the process ends.
  absl::StatusOr<net::Fd> Open() const;
  bool Take(uint64_t bytes);
  void Give(uint64_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

  const std::string directory_;
  const uint64_t limit_;
  std::atomic<uint64_t> used_{0};
};

// The part of one body that is on disk. Owned by a BodyBuffer, used on its worker's thread. Reads
// and writes go through the page cache: they wait for the disk only when the system is short of
// memory.
class SpillFile {
 public:
  explicit SpillFile(SpillSpace& space) : space_(space) {}
  SpillFile(const SpillFile&) = delete;
  SpillFile& operator=(const SpillFile&) = delete;
  ~SpillFile() { Clear(); }

  uint64_t size() const { return size_; }

  // Appends both pieces, or nothing: no room, or the file system refused. What the system said is
  // logged, at most once in ten seconds.
  bool Append(std::string_view first, std::string_view second);
  // Bytes from `offset` on, as many as fit. 0: the file cannot be read. REQUIRES: offset < size().
  size_t Read(uint64_t offset, std::span<char> into) const;
  // Closes the file and gives its room back.
  void Clear();

 private:
  SpillSpace& space_;
  net::Fd fd_;
  uint64_t size_ = 0;
};

}  // namespace headgate::proxy
