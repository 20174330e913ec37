#include "dataplane/control/health_reporter.h"

#include <utility>

namespace headgate::control {
namespace {

constexpr absl::Duration kPause = absl::Seconds(1);

}  // namespace

HealthReporter::HealthReporter(Source source, const Clock& clock)
    : source_(std::move(source)), clock_(clock), thread_([this] { Run(); }) {}

HealthReporter::~HealthReporter() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void HealthReporter::Changed() {
  {
    std::lock_guard lock(mutex_);
    due_ = true;
  }
  changed_.notify_all();
}

void HealthReporter::Attach(Send send) {
  {
    std::lock_guard lock(mutex_);
    send_ = std::move(send);
    due_ = true;
  }
  changed_.notify_all();
}

void HealthReporter::Detach() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !sending_; });
  send_.reset();
}

void HealthReporter::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || (due_ && send_); });
    if (stopping_) return;
    due_ = false;
    sending_ = true;
    const Send send = *send_;
    lock.unlock();
    v1::DataPlaneMessage message;
    *message.mutable_health() = source_();
    send(message);  // if it fails, its reader finds the stream over and detaches it
    lock.lock();
    sending_ = false;
    changed_.notify_all();
    clock_.WaitUntil(lock, changed_, clock_.MonotonicNow() + kPause, [this] { return stopping_; });
  }
}

}  // namespace headgate::control
