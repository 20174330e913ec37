#pragma once

#include <sys/epoll.h>

#include <atomic>
#include <cstdint>
#include <ctime>
#include <memory>
#include <mutex>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/types/span.h"
#include "dataplane/base/intrusive_list.h"
#include "dataplane/net/timer_wheel.h"

namespace headgate::net {

class EventLoop;

// What an edge said. Readable is set for errors and hang-ups too: the next read tells which.
struct IoEvents {
  bool readable = false;
  bool writable = false;
  bool peer_closed = false;  // EPOLLRDHUP, EPOLLHUP or EPOLLERR
};

class IoHandler {
 public:
  virtual void OnIo(IoEvents events) = 0;

 protected:
  ~IoHandler() = default;
};

// A watched descriptor, held by the handler's object. Destroying it ends the watch: events already
// fetched for it are dropped. The owner closes the descriptor itself, right after (the kernel then
// forgets it; there is no system call here).
class IoRegistration {
 public:
  IoRegistration() = default;
  IoRegistration(IoRegistration&& other) noexcept;
  IoRegistration& operator=(IoRegistration&& other) noexcept;
  ~IoRegistration() { Reset(); }
  void Reset();
  // The same for a descriptor that stays open: the kernel is told.
  void Unwatch(int fd);
  // From now on edges go to `handler`, those already fetched too. REQUIRES: a watch.
  void SetHandler(IoHandler& handler);
  explicit operator bool() const { return loop_ != nullptr; }

 private:
  friend class EventLoop;
  IoRegistration(EventLoop* loop, uint32_t slot) : loop_(loop), slot_(slot) {}
  EventLoop* loop_ = nullptr;
  uint32_t slot_ = 0;
};

// Something to be run once by the loop, soon but not inside the current call. A member of its
// owner; destroying it cancels, Unlink() too.
class ReadyTask : public base::ListNode {
 public:
  virtual void RunReady() = 0;

 protected:
  ~ReadyTask() = default;
};

// A ReadyTask that calls one method of its owner.
template <typename Owner, void (Owner::*kMethod)()>
class MemberTask final : public ReadyTask {
 public:
  explicit MemberTask(Owner& owner) : owner_(owner) {}
  void RunReady() override { (owner_.*kMethod)(); }

 private:
  Owner& owner_;
};

// Base of objects that are freed at the end of a loop turn; see EventLoop::Retire.
class Retirable {
 public:
  virtual ~Retirable() = default;
};

// One thread's epoll loop: I/O edges, timers, ready tasks, mail from other threads. Everything but
// Post and Stop is for the loop's own thread (or before it runs).
//
// A turn: wait → I/O handlers → timers → mail → ready tasks → flush tasks → free the retired. Ready
// tasks scheduled by flush tasks run in the next turn, which does not wait.
class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Watches `fd`, edge-triggered, in both directions. `handler` must outlive the registration. An
  // invalid registration means the kernel refused (out of memory or watches).
  [[nodiscard]] IoRegistration Watch(int fd, IoHandler& handler);
  // Watches a listening socket: level-triggered, so that its handler may leave connections for
  // later turns.
  [[nodiscard]] IoRegistration WatchListener(int fd, IoHandler& handler);

  // Runs `task` once in this turn, after I/O. Scheduling it again before it runs changes nothing.
  void Schedule(ReadyTask& task) {
    if (!task.linked()) ready_.PushBack(task);
  }
  // Runs `task` at the end of the turn, when every handler has had its say: for writes that should
  // be merged.
  void ScheduleFlush(ReadyTask& task) {
    if (!task.linked()) flush_.PushBack(task);
  }

  // Takes over an object that has made itself inert (descriptor closed, timers and tasks cancelled)
  // and frees it at the end of the turn, so that its callers up the stack stay valid.
  void Retire(std::unique_ptr<Retirable> object) { retired_.push_back(std::move(object)); }

  // Any thread: runs `work` on the loop's thread in order of posting. What was posted before Run
  // ended is run, what comes later is destroyed by this call.
  void Post(absl::AnyInvocable<void()> work);
  // Any thread: Run returns after the current turn.
  void Stop();

  void Run();
  // One turn, waiting at most `max_wait`; for tests and for threads that have other duties.
  void RunOnce(milliseconds max_wait);

  TimerWheel& timers() { return timers_; }
  // Taken once a turn.
  TimePoint now() const { return now_; }
  // Taken at most once for each event and each task, for durations that are shorter than a turn.
  TimePoint event_now() const {
    if (!event_now_valid_) {
      event_now_ = Clock::now();
      event_now_valid_ = true;
    }
    return event_now_;
  }
  // Wall clock of the turn, for logs and Date.
  timespec wall_now() const;

 private:
  friend class IoRegistration;
  struct Slot {
    IoHandler* handler = nullptr;
    uint32_t generation = 0;
  };

  IoRegistration Register(int fd, IoHandler& handler, uint32_t events);
  void Release(uint32_t slot);
  void RunMail();
  void EndMail();
  void RunList(base::IntrusiveList<ReadyTask>& list);

  int epoll_fd_ = -1;
  int wake_fd_ = -1;
  TimePoint now_;
  mutable TimePoint event_now_;
  mutable bool event_now_valid_ = false;
  mutable timespec wall_now_{};
  mutable bool wall_now_valid_ = false;
  TimerWheel timers_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_slots_;
  std::vector<epoll_event> events_;
  base::IntrusiveList<ReadyTask> ready_;
  base::IntrusiveList<ReadyTask> flush_;
  std::vector<std::unique_ptr<Retirable>> retired_;

  std::mutex mail_mutex_;
  std::vector<absl::AnyInvocable<void()>> mail_;
  bool mail_ended_ = false;  // guarded by mail_mutex_, as is mail_
  std::atomic<bool> has_mail_{false};
  std::atomic<bool> stopping_{false};
};

}  // namespace headgate::net
