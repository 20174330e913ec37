#include "dataplane/proxy/spill_space.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/log.h"

namespace headgate::proxy {

absl::StatusOr<net::Fd> SpillSpace::Open() const {
  net::Fd fd(open(directory_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!fd && (errno == EOPNOTSUPP || errno == EISDIR)) {
    // A file system that knows no files without a name.
    std::string name = absl::StrCat(directory_, "/headgate-XXXXXX");
    fd = net::Fd(mkostemp(name.data(), O_CLOEXEC));
    if (fd) unlink(name.c_str());
  }
  if (!fd) return absl::ErrnoToStatus(errno, absl::StrCat("cannot make a file in ", directory_));
  return fd;
}

bool SpillSpace::Take(uint64_t bytes) {
  if (used_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= limit_) return true;
  Give(bytes);
  return false;
}

bool SpillFile::Append(std::string_view first, std::string_view second) {
  const size_t bytes = first.size() + second.size();
  if (!space_.Take(bytes)) {
    if (space_.limit_ != 0) {
      HEADGATE_LOG_EVERY(10, kWarn, "proxy", "the room for bodies on disk is full",
                         {"limit", space_.limit_});
    }
    return false;
  }
  if (!fd_) {
    auto opened = space_.Open();
    if (!opened.ok()) {
      HEADGATE_LOG_EVERY(10, kWarn, "proxy", "bodies cannot be held on disk",
                         {"error", opened.status()});
      space_.Give(bytes);
      return false;
    }
    fd_ = *std::move(opened);
  }
  const std::array<iovec, 2> pieces = {iovec{const_cast<char*>(first.data()), first.size()},
                                       iovec{const_cast<char*>(second.data()), second.size()}};
  ssize_t written;
  do {
    written = pwritev(fd_.get(), pieces.data(), 2, static_cast<off_t>(size_));
  } while (written < 0 && errno == EINTR);
  if (written != static_cast<ssize_t>(bytes)) {
    // What was written in part stays behind the end and is overwritten or dropped with the file.
    HEADGATE_LOG_EVERY(10, kWarn, "proxy", "bodies cannot be held on disk",
                       {"error", std::string(written < 0 ? strerror(errno) : "short write")});
    space_.Give(bytes);
    return false;
  }
  size_ += bytes;
  return true;
}

size_t SpillFile::Read(uint64_t offset, std::span<char> into) const {
  const uint64_t left = size_ - offset;
  if (into.size() > left) into = into.first(static_cast<size_t>(left));
  ssize_t got;
  do {
    got = pread(fd_.get(), into.data(), into.size(), static_cast<off_t>(offset));
  } while (got < 0 && errno == EINTR);
  return got > 0 ? static_cast<size_t>(got) : 0;
}

void SpillFile::Clear() {
  fd_.Close();
  space_.Give(size_);
  size_ = 0;
}

}  // namespace headgate::proxy
