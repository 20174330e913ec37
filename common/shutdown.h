// The request to stop, from a signal or from within.
#pragma once

#include "absl/time/time.h"

namespace headgate {

// Made once by main before any thread starts: it blocks SIGTERM and SIGINT for the calling thread
// and so for all threads started later, and ignores SIGPIPE for the process. Signals are then read
// from a descriptor, so nothing of ours runs in a signal handler.
class Shutdown {
 public:
  Shutdown();
  ~Shutdown();
  Shutdown(const Shutdown&) = delete;
  Shutdown& operator=(const Shutdown&) = delete;

  // Readable as long as a request that nobody took with Wait or WaitFor is there. For poll or
  // epoll.
  int fd() const { return epoll_fd_; }
  // Blocks until the next request and takes it. A second call waits for a second one (an operator
  // who insists).
  void Wait() { WaitFor(absl::InfiniteDuration()); }
  // As Wait, at most for `limit`; false if nothing came.
  bool WaitFor(absl::Duration limit);
  // Asks from within. Thread: any; safe in a signal handler.
  void Request();

 private:
  int signal_fd_;
  int event_fd_;
  int epoll_fd_;
};

}  // namespace headgate
