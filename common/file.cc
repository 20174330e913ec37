#include "common/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "common/strings.h"

namespace headgate {
namespace {

// Closes on leaving the scope.
class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  const int fd_;
};

absl::Status SystemError(std::string_view what, std::string_view path) {
  return absl::ErrnoToStatus(errno, StrCat("cannot ", what, " ", path));
}

absl::Status WriteAll(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t written = write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("write", path);
    content.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status WriteAndSync(const std::string& path, std::string_view content, mode_t mode) {
  const Fd file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (file.get() < 0) return SystemError("create", path);
  if (absl::Status status = WriteAll(file.get(), content, path); !status.ok()) return status;
  if (fsync(file.get()) != 0) return SystemError("sync", path);
  return absl::OkStatus();
}

absl::Status SyncFolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "."
                             : slash == 0               ? "/"
                                                        : path.substr(0, slash);
  const Fd fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return SystemError("open", folder);
  if (fsync(fd.get()) != 0) return SystemError("sync", folder);
  return absl::OkStatus();
}

int64_t Nanoseconds(const timespec& time) {
  return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path, size_t max_bytes) {
  // O_NONBLOCK: opening a FIFO that somebody put there must not hang us.
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return SystemError("open", path);
  struct stat info {};
  if (fstat(file.get(), &info) != 0) return SystemError("stat", path);
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(StrCat("cannot read ", path, ": not a regular file"));
  }
  std::string content;
  content.reserve(std::min(static_cast<size_t>(info.st_size), max_bytes) + 1);
  char chunk[16384];
  while (true) {
    const ssize_t got = read(file.get(), chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError("read", path);
    if (got == 0) return content;
    if (content.size() + static_cast<size_t>(got) > max_bytes) {
      return absl::OutOfRangeError(
          StrCat("cannot read ", path, ": larger than ", max_bytes, " bytes"));
    }
    content.append(chunk, static_cast<size_t>(got));
  }
}

absl::Status WriteFileAtomically(const std::string& path, std::string_view content, mode_t mode) {
  static std::atomic<uint64_t> serial{0};
  const std::string temporary = StrCat(path, ".tmp.", getpid(), ".", serial.fetch_add(1));
  unlink(temporary.c_str());  // of an earlier process with our id that was killed half-way
  absl::Status status = WriteAndSync(temporary, content, mode);
  if (status.ok() && rename(temporary.c_str(), path.c_str()) != 0) {
    status = SystemError("replace", path);
  }
  if (!status.ok()) {
    unlink(temporary.c_str());
    return status;
  }
  return SyncFolderOf(path);
}

bool FileIdentity::IsSettled() const {
  timespec now{};
  // lint: allow(wall-clock) compared with time stamps of files, which are wall-clock time
  clock_gettime(CLOCK_REALTIME, &now);
  return Nanoseconds(now) - changed_ns > 1'000'000'000;
}

absl::StatusOr<FileIdentity> IdentifyFile(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return SystemError("stat", path);
  return FileIdentity{info.st_dev, info.st_ino, info.st_size, Nanoseconds(info.st_mtim),
                      Nanoseconds(info.st_ctim)};
}

absl::StatusOr<bool> WatchedFile::Refresh() {
  const absl::StatusOr<FileIdentity> identity = IdentifyFile(path_);
  if (!identity.ok()) return identity.status();
  if (*identity == identity_) return false;
  absl::StatusOr<std::string> content = ReadFile(path_, max_bytes_);
  if (!content.ok()) return content.status();
  identity_ = identity->IsSettled() ? *identity : FileIdentity();
  if (*content == content_) return false;
  content_ = *std::move(content);
  return true;
}

}  // namespace headgate
