// A Transport whose other end is the test.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

#include "controller/kube/transport.h"

namespace headgate::kube {

class FakeTransport : public Transport {
 public:
  absl::StatusOr<HttpResult> Get(const std::string& target, absl::Duration idle_limit,
                                 const OnData& on_data) override {
    std::unique_lock<std::mutex> lock(mutex_);
    target_ = target;
    idle_limit_ = idle_limit;
    changed_.notify_all();
    while (true) {
      changed_.wait(lock, [&] { return cancelled_ || !actions_.empty(); });
      if (cancelled_) return absl::CancelledError("cancelled");
      Action action = std::move(actions_.front());
      actions_.pop_front();
      if (!action.end) {
        lock.unlock();
        const bool go_on = on_data(action.data);
        lock.lock();
        if (go_on) continue;
        action.end = absl::AbortedError("aborted");
      }
      target_.reset();
      changed_.notify_all();
      return *action.end;
    }
  }

  absl::StatusOr<HttpResult> Write(WriteMethod, const std::string&, const std::string&,
                                   absl::Duration, const OnData&) override {
    return absl::UnimplementedError("only reads");
  }
  void Cancel() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    cancelled_ = true;
    changed_.notify_all();
  }

  // Waits up to ten seconds for the next request, and gives its target ("(none)" if there is none).
  std::string AwaitRequest() {
    std::unique_lock<std::mutex> lock(mutex_);
    const bool there = changed_.wait_for(lock, std::chrono::seconds(10),
                                         [&] { return target_.has_value() && actions_.empty(); });
    return there ? *target_ : "(none)";
  }
  absl::Duration idle_limit() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return idle_limit_;
  }
  // A part of the body of the present (or next) request.
  void Send(std::string data) { Push({std::move(data), std::nullopt}); }
  // The end of the request; returns when the reflector has it.
  void End(absl::StatusOr<HttpResult> result = HttpResult{
               .status = 200, .error_body = {}, .retry_after = {}}) {
    Push({{}, std::move(result)});
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(10), [&] { return actions_.empty(); });
  }
  void Reply(std::string body) {
    Send(std::move(body));
    End();
  }
  void Fail(int status, std::string body = {}, absl::Duration retry_after = {}) {
    End(HttpResult{status, std::move(body), retry_after});
  }

 private:
  struct Action {
    std::string data;
    std::optional<absl::StatusOr<HttpResult>> end;
  };
  void Push(Action action) {
    const std::lock_guard<std::mutex> lock(mutex_);
    actions_.push_back(std::move(action));
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<std::string> target_;
  absl::Duration idle_limit_;
  std::deque<Action> actions_;
  bool cancelled_ = false;
};

}  // namespace headgate::kube
