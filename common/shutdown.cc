#include "common/shutdown.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "absl/time/time.h"
#include "common/check.h"
#include "common/clock.h"

namespace headgate {

Shutdown::Shutdown() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  HEADGATE_CHECK(pthread_sigmask(SIG_BLOCK, &signals, nullptr) == 0);
  HEADGATE_CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
  signal_fd_ = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  event_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
  epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
  HEADGATE_CHECK(signal_fd_ >= 0 && event_fd_ >= 0 && epoll_fd_ >= 0);
  for (const int fd : {signal_fd_, event_fd_}) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    HEADGATE_CHECK(epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) == 0);
  }
}

Shutdown::~Shutdown() {
  close(epoll_fd_);
  close(event_fd_);
  close(signal_fd_);
}

bool Shutdown::WaitFor(absl::Duration limit) {
  const SystemClock clock;
  const absl::Duration deadline = clock.MonotonicNow() + limit;
  while (true) {
    signalfd_siginfo info;
    uint64_t count = 0;
    if (read(signal_fd_, &info, sizeof info) == sizeof info) return true;
    if (read(event_fd_, &count, sizeof count) == sizeof count) return true;
    const absl::Duration left = deadline - clock.MonotonicNow();
    if (left <= absl::ZeroDuration()) return false;
    pollfd waited{epoll_fd_, POLLIN, 0};
    // Rounded up, so that the last wait is not a busy loop of zero milliseconds.
    const int64_t milliseconds =
        absl::ToInt64Milliseconds(std::min(left, absl::Hours(1)) + absl::Milliseconds(1));
    const int ready = poll(&waited, 1, static_cast<int>(milliseconds));
    HEADGATE_CHECK(ready >= 0 || errno == EINTR);
  }
}

void Shutdown::Request() {
  const uint64_t one = 1;
  [[maybe_unused]] ssize_t ignored = write(event_fd_, &one, sizeof one);
}

}  // namespace headgate
