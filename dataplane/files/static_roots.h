#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "dataplane/net/socket.h"

namespace headgate::files {

// How a path is kept below its root.
enum class Confinement : uint8_t {
  kKernel,  // openat2(2) with RESOLVE_BENEATH and RESOLVE_NO_MAGICLINKS, Linux 5.6
  kWalk,    // segment by segment, for kernels and sandboxes without it
};

// A directory that the operator has mounted for us (--static-root=NAME=DIR). Nothing outside it can
// be opened: ".." and symbolic links are followed as long as they stay inside, absolute links
// never. Opened once; immutable, so every worker may use it.
class StaticRoot {
 public:
  // The directory must be there.
  static absl::StatusOr<StaticRoot> Open(std::string name, const std::string& directory);
  // With a given confinement; for tests.
  static absl::StatusOr<StaticRoot> Open(std::string name, const std::string& directory,
                                         Confinement confinement);

  const std::string& name() const { return name_; }
  Confinement confinement() const { return confinement_; }

  // Opens a file or directory by a relative path, for reading; never waits for a FIFO. On failure
  // -1, and errno says why: EXDEV for what leads outside, ELOOP for links without end.
  net::Fd OpenBelow(const std::string& path) const;

 private:
  StaticRoot(std::string name, net::Fd directory, Confinement confinement)
      : name_(std::move(name)), directory_(std::move(directory)), confinement_(confinement) {}

  std::string name_;
  net::Fd directory_;
  Confinement confinement_;
};

// All of them; few. Outlives the workers.
class StaticRoots {
 public:
  StaticRoots() = default;
  explicit StaticRoots(std::vector<StaticRoot> roots) : roots_(std::move(roots)) {}
  // Nullptr: the operator has given none of that name.
  const StaticRoot* Find(std::string_view name) const;

 private:
  std::vector<StaticRoot> roots_;
};

}  // namespace headgate::files
