#include "dataplane/control/control_thread.h"

#include <future>
#include <utility>

namespace headgate::control {

ControlThread::ControlThread() : thread_([this] { Loop(); }) {}

ControlThread::~ControlThread() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void ControlThread::Post(Task task) {
  {
    std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
}

void ControlThread::Run(Task task) {
  std::promise<void> done;
  Post([&] {
    std::move(task)();
    done.set_value();
  });
  done.get_future().wait();
}

void ControlThread::Loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    std::move(task)();
    lock.lock();
  }
}

}  // namespace headgate::control
