#pragma once

#include <cstddef>
#include <memory>

namespace headgate::base {

struct Pipe;

// Where pipes come from and go back to (net/pipe.h).
class PipeOwner {
 public:
  // Takes back a pipe; what is left in it is lost.
  virtual void Give(Pipe& pipe) = 0;

 protected:
  ~PipeOwner() = default;
};

// Bytes of a body on their way from one socket to another within the kernel: whoever received them
// hands them on in this form instead of a view of memory. Belongs to one worker.
struct Pipe {
  PipeOwner& owner;
  int read_end;
  int write_end;
  size_t size = 0;  // bytes in it
};

struct GivePipe {
  void operator()(Pipe* pipe) const { pipe->owner.Give(*pipe); }
};
using PipePtr = std::unique_ptr<Pipe, GivePipe>;

}  // namespace headgate::base
