// Whole files: read with a limit, replace as a whole, notice a change.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace headgate {

// The content of a regular file (or a symbolic link to one). NOT_FOUND when it is not there,
// OUT_OF_RANGE when it is larger than `max_bytes`. Errors name the path.
absl::StatusOr<std::string> ReadFile(const std::string& path, size_t max_bytes);

// Replaces `path` so that, whatever happens (a crash, a power cut), a reader finds either the old
// or the new content complete: temporary file beside it, fsync, rename, fsync of the folder. The
// temporary file is removed on failure.
absl::Status WriteFileAtomically(const std::string& path, std::string_view content,
                                 mode_t mode = 0600);

// What stat(2) says of one state of a file (following symbolic links).
struct FileIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t size = -1;
  int64_t modified_ns = 0;
  int64_t changed_ns = 0;

  // Whether the file was last changed over a second ago. If not, it may be changed again within the
  // same tick of the time stamps and look the same: then an equal identity does not mean equal
  // content.
  bool IsSettled() const;
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

absl::StatusOr<FileIdentity> IdentifyFile(const std::string& path);

// A file that is re-read when it changes: certificates and tokens which are rotated in place, by
// rename, or by the symbolic-link swap of Kubernetes volumes. It looks when asked and has no
// thread. Thread: one owner.
class WatchedFile {
 public:
  WatchedFile(std::string path, size_t max_bytes) : path_(std::move(path)), max_bytes_(max_bytes) {}

  // Looks at the file and reads it if it is not the one read before. True: content() is new. On
  // error content() keeps the last good content, and the next call tries again.
  absl::StatusOr<bool> Refresh();

  const std::string& path() const { return path_; }
  // Empty before the first Refresh that succeeded.
  const std::string& content() const { return content_; }

 private:
  const std::string path_;
  const size_t max_bytes_;
  FileIdentity identity_;  // default: read again
  std::string content_;
};

}  // namespace headgate
