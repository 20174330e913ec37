#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "absl/functional/any_invocable.h"
#include "common/secret_bytes.h"

namespace headgate::proxy {

// Where passwords are held against hashes that cost more than a worker may spend on one request.
// One for the process, started with the first of them. Any thread, but for construction and
// destruction.
class PasswordThread {
 public:
  using Done = absl::AnyInvocable<void(bool matches)>;

  PasswordThread() = default;
  ~PasswordThread() { Stop(); }
  PasswordThread(const PasswordThread&) = delete;
  PasswordThread& operator=(const PasswordThread&) = delete;

  // `done` is called on the thread, or never if it is stopped before. False: too many are waiting,
  // or it is stopped.
  bool Check(std::string_view password, std::string_view hash, Done done);
  // Returns when the thread has ended. What waits is dropped.
  void Stop();

 private:
  static constexpr size_t kMaxWaiting = 256;
  struct Job {
    SecretBytes password;
    SecretBytes hash;
    Done done;
  };

  void Run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;  // guarded by mutex_, as is the next
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace headgate::proxy
