#pragma once

#include <cstdint>
#include <ctime>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "dataplane/files/static_roots.h"
#include "dataplane/net/timer_wheel.h"

namespace headgate::files {

// A regular file as it was when it was opened. Stays readable while somebody holds it, whatever
// happens to its name.
struct OpenFile {
  net::Fd fd;
  uint64_t size = 0;
  time_t modified = 0;
  // From inode, size and time of modification, with quotes.
  std::string etag;
};

// What a name leads to.
struct FileLookup {
  enum class Kind : uint8_t {
    kFile,
    kDirectory,
    kAbsent,  // also: leads outside, is a device, may not be read
    kFailed,  // out of descriptors or the like: ask again later
  };
  Kind kind = Kind::kAbsent;
  std::shared_ptr<const OpenFile> file;  // for kFile
};

// Open files, and names known to lead to none, of one worker. An entry counts for a second; then
// the name is looked up again, so that a file that was replaced is noticed. The least recently used
// entry goes when there are too many. One thread.
class FileCache {
 public:
  static constexpr size_t kCapacity = 256;
  static constexpr net::milliseconds kFresh{1000};

  explicit FileCache(size_t capacity = kCapacity) : capacity_(capacity) {}

  // `path` must be safe (IsSafePath). Opening touches the disk unless an entry is fresh.
  FileLookup Find(const StaticRoot& root, std::string_view path, net::TimePoint now);

  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string key;
    FileLookup found;
    net::TimePoint checked;
  };

  std::list<Entry> entries_;  // most recently used first
  absl::flat_hash_map<std::string_view, std::list<Entry>::iterator>
      index_;  // keys are those of the entries
  const size_t capacity_;
};

}  // namespace headgate::files
