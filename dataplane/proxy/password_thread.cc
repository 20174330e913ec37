#include "dataplane/proxy/password_thread.h"

#include <utility>

#include "dataplane/policy/password_hash.h"

namespace headgate::proxy {

bool PasswordThread::Check(std::string_view password, std::string_view hash, Done done) {
  const std::lock_guard lock(mutex_);
  if (stopped_ || jobs_.size() >= kMaxWaiting) return false;
  jobs_.push_back({SecretBytes(password), SecretBytes(hash), std::move(done)});
  if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
  changed_.notify_one();
  return true;
}

void PasswordThread::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void PasswordThread::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopped_ || !jobs_.empty(); });
    if (stopped_) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job.done(policy::MatchesHash(job.password.Reveal(), job.hash.Reveal()));
    lock.lock();
  }
}

}  // namespace headgate::proxy
