#include "dataplane/net/event_loop.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "common/check.h"

namespace headgate::net {
namespace {

constexpr size_t kMaxEvents = 256;
constexpr uint64_t kWakeData = ~uint64_t{0};
constexpr milliseconds kMaxSleep{1000};

}  // namespace

IoRegistration::IoRegistration(IoRegistration&& other) noexcept
    : loop_(std::exchange(other.loop_, nullptr)), slot_(other.slot_) {}

IoRegistration& IoRegistration::operator=(IoRegistration&& other) noexcept {
  if (this != &other) {
    Reset();
    loop_ = std::exchange(other.loop_, nullptr);
    slot_ = other.slot_;
  }
  return *this;
}

void IoRegistration::Reset() {
  if (loop_ != nullptr) std::exchange(loop_, nullptr)->Release(slot_);
}

void IoRegistration::Unwatch(int fd) {
  if (loop_ != nullptr) epoll_ctl(loop_->epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
  Reset();
}

void IoRegistration::SetHandler(IoHandler& handler) { loop_->slots_[slot_].handler = &handler; }

EventLoop::EventLoop() : now_(Clock::now()), timers_(now_), events_(kMaxEvents) {
  epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
  wake_fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  HEADGATE_CHECK(epoll_fd_ >= 0 && wake_fd_ >= 0);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.u64 = kWakeData;
  HEADGATE_CHECK(epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, wake_fd_, &event) == 0);
}

EventLoop::~EventLoop() {
  // Objects in here may hold registrations and timers of this loop.
  retired_.clear();
  mail_.clear();
  close(wake_fd_);
  close(epoll_fd_);
}

IoRegistration EventLoop::Watch(int fd, IoHandler& handler) {
  return Register(fd, handler, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

IoRegistration EventLoop::WatchListener(int fd, IoHandler& handler) {
  return Register(fd, handler, EPOLLIN);
}

IoRegistration EventLoop::Register(int fd, IoHandler& handler, uint32_t events) {
  uint32_t slot;
  if (free_slots_.empty()) {
    slot = static_cast<uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  slots_[slot].handler = &handler;
  epoll_event event{};
  event.events = events;
  event.data.u64 = (uint64_t{slots_[slot].generation} << 32) | slot;
  IoRegistration registration(this, slot);
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) registration.Reset();
  return registration;
}

void EventLoop::Release(uint32_t slot) {
  slots_[slot].handler = nullptr;
  ++slots_[slot].generation;
  free_slots_.push_back(slot);
}

void EventLoop::Post(absl::AnyInvocable<void()> work) {
  {
    std::lock_guard lock(mail_mutex_);
    if (mail_ended_) return;
    mail_.push_back(std::move(work));
    if (has_mail_.exchange(true)) return;  // already woken
  }
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof(one));
}

void EventLoop::Stop() {
  stopping_.store(true);
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof(one));
}

void EventLoop::RunMail() {
  if (!has_mail_.load(std::memory_order_acquire)) return;
  std::vector<absl::AnyInvocable<void()>> mail;
  {
    std::lock_guard lock(mail_mutex_);
    mail.swap(mail_);
    has_mail_.store(false);
  }
  for (auto& work : mail) work();
}

void EventLoop::EndMail() {
  std::vector<absl::AnyInvocable<void()>> mail;
  {
    std::lock_guard lock(mail_mutex_);
    mail_ended_ = true;
    mail.swap(mail_);
  }
  for (auto& work : mail) work();
}

void EventLoop::RunList(base::IntrusiveList<ReadyTask>& list) {
  base::IntrusiveList<ReadyTask> batch;
  batch.Splice(list);
  while (!batch.empty()) {
    ReadyTask& task = batch.front();
    task.Unlink();
    event_now_valid_ = false;
    task.RunReady();  // may destroy the task
  }
}

void EventLoop::Run() {
  while (!stopping_.load(std::memory_order_relaxed)) RunOnce(kMaxSleep);
  EndMail();
}

void EventLoop::RunOnce(milliseconds max_wait) {
  milliseconds wait(0);
  if (ready_.empty() && flush_.empty() && retired_.empty()) {
    wait = timers_.UntilNext(now_, max_wait);
  }
  const int count =
      epoll_wait(epoll_fd_, events_.data(), kMaxEvents, static_cast<int>(wait.count()));
  HEADGATE_CHECK(count >= 0 || errno == EINTR);
  now_ = Clock::now();
  wall_now_valid_ = false;

  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events_[static_cast<size_t>(i)];
    if (event.data.u64 == kWakeData) {
      uint64_t ignored;
      [[maybe_unused]] const ssize_t got = read(wake_fd_, &ignored, sizeof(ignored));
      continue;
    }
    const auto slot = static_cast<uint32_t>(event.data.u64);
    const auto generation = static_cast<uint32_t>(event.data.u64 >> 32);
    if (slots_[slot].generation != generation || slots_[slot].handler == nullptr) continue;
    event_now_valid_ = false;
    const bool closed = (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    slots_[slot].handler->OnIo({.readable = (event.events & EPOLLIN) != 0 || closed,
                                .writable = (event.events & EPOLLOUT) != 0 || closed,
                                .peer_closed = closed});
  }
  event_now_valid_ = false;
  timers_.Advance(now_);
  RunMail();
  // A few rounds let work that was set off by work leave in this turn; the bound keeps I/O from
  // starving.
  for (int round = 0; round < 4 && !ready_.empty(); ++round) RunList(ready_);
  // What a flush sets off (the end of an exchange) belongs to this turn too: left for the next, it
  // would cost an epoll_wait that does not wait.
  for (int round = 0; round < 2 && !flush_.empty(); ++round) RunList(flush_);
  while (!retired_.empty()) {
    std::vector<std::unique_ptr<Retirable>> batch;
    batch.swap(retired_);
    batch.clear();  // destructors may retire more
  }
}

timespec EventLoop::wall_now() const {
  if (!wall_now_valid_) {
    clock_gettime(CLOCK_REALTIME, &wall_now_);  // lint: allow(wall-clock) for Date and logs
    wall_now_valid_ = true;
  }
  return wall_now_;
}

}  // namespace headgate::net
