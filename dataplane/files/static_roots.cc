#include "dataplane/files/static_roots.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace headgate::files {
namespace {

constexpr int kReadFlags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
constexpr int kMaxLinks = 40;   // as the kernel has it
constexpr int kMaxDepth = 128;  // directories held open by a walk
constexpr int kMaxRaces = 16;   // a rename may make the kernel give up on ".."

net::Fd OpenInKernel(int root, const char* path) {
  open_how how{};
  how.flags = static_cast<uint64_t>(kReadFlags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  for (int i = 0; i < kMaxRaces; ++i) {
    const long fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
    if (fd >= 0) return net::Fd(static_cast<int>(fd));
    if (errno != EAGAIN && errno != EINTR) break;
  }
  return net::Fd();
}

net::Fd Fail(int error) {
  errno = error;
  return net::Fd();
}

// Follows a path by hand. Every directory on the way is held open, so that ".." goes back to where
// we came from and not to where somebody has moved it.
class Walk {
 public:
  explicit Walk(int root) : root_(root) {}

  net::Fd Open(std::string path) {
    int links = 0;
    while (true) {
      const size_t start = path.find_first_not_of('/');
      if (start == std::string::npos) return Reopen();
      size_t end = path.find('/', start);
      if (end == std::string::npos) end = path.size();
      const std::string segment = path.substr(start, end - start);
      path.erase(0, end);
      if (segment == ".") continue;
      if (segment == "..") {
        if (directories_.empty()) return Fail(EXDEV);
        directories_.pop_back();
        continue;
      }
      net::Fd entry(openat(here(), segment.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
      struct stat status;
      if (!entry || fstat(entry.get(), &status) != 0) return net::Fd();
      if (S_ISLNK(status.st_mode)) {
        if (++links > kMaxLinks) return Fail(ELOOP);
        char target[PATH_MAX];
        const ssize_t size = readlinkat(entry.get(), "", target, sizeof(target));
        if (size < 0) return net::Fd();
        if (size == 0 || static_cast<size_t>(size) == sizeof(target)) return Fail(ENAMETOOLONG);
        if (target[0] == '/') return Fail(EXDEV);
        path.insert(0, target, static_cast<size_t>(size));
      } else if (S_ISDIR(status.st_mode)) {
        if (directories_.size() >= kMaxDepth) return Fail(ENAMETOOLONG);
        directories_.push_back(std::move(entry));
      } else if (!path.empty()) {
        return Fail(ENOTDIR);
      } else {
        return net::Fd(openat(here(), segment.c_str(), kReadFlags | O_NOFOLLOW));
      }
    }
  }

 private:
  int here() const { return directories_.empty() ? root_ : directories_.back().get(); }
  net::Fd Reopen() const { return net::Fd(openat(here(), ".", kReadFlags | O_DIRECTORY)); }

  const int root_;
  std::vector<net::Fd> directories_;  // below the root
};

}  // namespace

absl::StatusOr<StaticRoot> StaticRoot::Open(std::string name, const std::string& directory) {
  auto root = Open(std::move(name), directory, Confinement::kKernel);
  // Sandboxes refuse system calls that they do not know with EPERM.
  if (root.ok() && !OpenInKernel(root->directory_.get(), ".") &&
      (errno == ENOSYS || errno == EPERM)) {
    root->confinement_ = Confinement::kWalk;
  }
  return root;
}

absl::StatusOr<StaticRoot> StaticRoot::Open(std::string name, const std::string& directory,
                                            Confinement confinement) {
  net::Fd fd(open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot open the directory ", directory, ": ", std::strerror(errno)));
  }
  return StaticRoot(std::move(name), std::move(fd), confinement);
}

net::Fd StaticRoot::OpenBelow(const std::string& path) const {
  if (path.empty() || path.find('\0') != std::string::npos) return Fail(ENOENT);
  if (path.front() == '/') return Fail(EXDEV);
  if (confinement_ == Confinement::kWalk) return Walk(directory_.get()).Open(path);
  return OpenInKernel(directory_.get(), path.c_str());
}

const StaticRoot* StaticRoots::Find(std::string_view name) const {
  for (const StaticRoot& root : roots_) {
    if (root.name() == name) return &root;
  }
  return nullptr;
}

}  // namespace headgate::files
