#include "controller/kube/recurring_task.h"

namespace headgate::kube {

void RecurringTask::Start() {
  thread_ = std::thread([this] { Run(); });
}

bool RecurringTask::Stop(const std::function<void()>& cancel) {
  if (!thread_.joinable()) return false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (cancel != nullptr) cancel();
  thread_.join();
  return true;
}

void RecurringTask::Wake() {
  const std::lock_guard<std::mutex> lock(mutex_);
  woken_ = true;
  changed_.notify_all();
}

void RecurringTask::Run() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    woken_ = false;
    lock.unlock();
    const absl::Duration rest = turn_();
    lock.lock();
    clock_.WaitUntil(lock, changed_, clock_.MonotonicNow() + rest,
                     [this] { return stopping_ || woken_; });
  }
}

}  // namespace headgate::kube
