#include "dataplane/net/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "dataplane/net/socket.h"

namespace headgate::net {
namespace {

void Close(const base::Pipe& pipe) {
  close(pipe.read_end);
  close(pipe.write_end);
}

// More than any pipe holds; the kernel refuses what would be negative to it.
constexpr size_t kMaxMove = size_t{1} << 30;

ssize_t Splice(int from, off64_t* offset, int to, size_t size) {
  ssize_t moved;
  do {
    moved = splice(from, offset, to, nullptr, std::min(size, kMaxMove), SPLICE_F_NONBLOCK);
  } while (moved < 0 && errno == EINTR);
  return moved;
}

}  // namespace

PipePool::~PipePool() {
  for (const auto& pipe : free_) Close(*pipe);
}

base::PipePtr PipePool::Take() {
  std::unique_ptr<base::Pipe> pipe;
  if (!free_.empty()) {
    pipe = std::move(free_.back());
    free_.pop_back();
  } else {
    if (taken_ == max_pipes_) return nullptr;
    // The account is used up, or there are no descriptors: to be told so for each piece of each
    // body would cost more than pipes save.
    if (pass_over_ > 0 && --pass_over_ > 0) return nullptr;
    pipe = Make();
    if (pipe == nullptr) {
      pass_over_ = kPassOver;
      return nullptr;
    }
  }
  ++taken_;
  return base::PipePtr(pipe.release());
}

void PipePool::Give(base::Pipe& pipe) {
  std::unique_ptr<base::Pipe> owned(&pipe);
  --taken_;
  if (owned->size == 0) {
    free_.push_back(std::move(owned));
  } else {
    Close(*owned);
  }
}

std::unique_ptr<base::Pipe> PipePool::Make() {
  int ends[2];
  if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) return nullptr;
  auto pipe = std::make_unique<base::Pipe>(
      base::Pipe{.owner = *this, .read_end = ends[0], .write_end = ends[1]});
  fcntl(pipe->write_end, F_SETPIPE_SZ, kPipeBytes);
  if (fcntl(pipe->write_end, F_GETPIPE_SZ) >= kMinPipeBytes && (checked_ || Works(*pipe))) {
    checked_ = true;
    return pipe;
  }
  Close(*pipe);
  return nullptr;
}

bool PipePool::Works(const base::Pipe& pipe) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) return false;
  const Fd from(ends[0]);
  const Fd to(ends[1]);
  return send(from.get(), "x", 1, MSG_NOSIGNAL) == 1 &&
         Splice(to.get(), nullptr, pipe.write_end, 1) == 1 &&
         Splice(pipe.read_end, nullptr, from.get(), 1) == 1;
}

ssize_t FillPipe(base::Pipe& pipe, int fd, size_t limit) {
  const ssize_t moved = Splice(fd, nullptr, pipe.write_end, limit);
  if (moved > 0) pipe.size += static_cast<size_t>(moved);
  return moved;
}

ssize_t FillPipeFromFile(base::Pipe& pipe, int fd, uint64_t offset, size_t limit) {
  auto from = static_cast<off64_t>(offset);
  const ssize_t moved = Splice(fd, &from, pipe.write_end, limit);
  if (moved > 0) pipe.size += static_cast<size_t>(moved);
  return moved;
}

ssize_t DrainPipe(base::Pipe& pipe, int fd) {
  const ssize_t moved = Splice(pipe.read_end, nullptr, fd, pipe.size);
  if (moved > 0) pipe.size -= static_cast<size_t>(moved);
  return moved;
}

}  // namespace headgate::net
