#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/base/pipe.h"

namespace headgate::net {

// The pipes of one worker, kept for reuse. Whoever moves bytes holds one only while bytes are in
// it, so that few serve many connections. Outlives all of them; used on the worker's thread.
class PipePool final : private base::PipeOwner {
 public:
  // Each may hold descriptors for two and kernel memory for kPipeBytes.
  static constexpr size_t kMaxPipes = 64;

  // For fewer bytes a pipe is not worth its system calls.
  static constexpr uint64_t kWorthwhile = 64 * 1024;

  // `max_pipes`: that may be out at once.
  explicit PipePool(size_t max_pipes = kMaxPipes) : max_pipes_(max_pipes) {}
  ~PipePool();
  PipePool(const PipePool&) = delete;
  PipePool& operator=(const PipePool&) = delete;

  // An empty pipe. Null: there is none to be had, and bytes should be copied.
  base::PipePtr Take();

 private:
  // Kernels keep a pipe's pages in an account of its user, 64 MiB by default.
  static constexpr int kPipeBytes = 256 * 1024;
  // Below that a pipe is no better than a buffer.
  static constexpr int kMinPipeBytes = 64 * 1024;
  static constexpr size_t kPassOver = 1000;

  void Give(base::Pipe& pipe) override;
  std::unique_ptr<base::Pipe> Make();
  // Whether splice(2) may be called here at all: some sandboxes deny it.
  static bool Works(const base::Pipe& pipe);

  size_t max_pipes_;
  size_t taken_ = 0;
  size_t pass_over_ = 0;  // calls of Take before another pipe is tried for
  bool checked_ = false;
  std::vector<std::unique_ptr<base::Pipe>> free_;
};

// Moves up to `limit` bytes from the non-blocking socket `fd` into an empty pipe. As recv
// otherwise.
ssize_t FillPipe(base::Pipe& pipe, int fd, size_t limit);
// The same from `offset` of a file.
ssize_t FillPipeFromFile(base::Pipe& pipe, int fd, uint64_t offset, size_t limit);
// Moves as much as the non-blocking socket `fd` takes out of a pipe that is not empty. As send
// otherwise. The process ignores SIGPIPE.
ssize_t DrainPipe(base::Pipe& pipe, int fd);

}  // namespace headgate::net
