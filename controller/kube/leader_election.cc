#include "controller/kube/leader_election.h"

#include <algorithm>
#include <utility>

#include "common/log.h"

namespace headgate::kube {

LeaderElection::LeaderElection(LeaderElectionOptions options, std::unique_ptr<Transport> transport,
                               const Clock& clock, MetricsRegistry& metrics,
                               std::function<void()> on_change)
    : options_(std::move(options)),
      clock_(clock),
      on_change_(std::move(on_change)),
      leading_gauge_(metrics.AddGauge("headgate_leader", "1 while this controller leads.")),
      failures_(metrics.AddCounter("headgate_leader_election_failures_total",
                                   "Attempts to read or write the Lease that failed.")),
      client_(std::move(transport), options_.lease),
      random_(options_.seed) {}

LeaderElection::~LeaderElection() { Stop(); }

void LeaderElection::Start() {
  thread_ = std::thread([this] { Run(); });
}

void LeaderElection::Stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  thread_.join();
}

void LeaderElection::Run() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    if (const absl::Status status = Try(); !status.ok()) {
      failures_.Add();
      HEADGATE_LOG_EVERY(60, kWarn, "leader", "the Lease cannot be read or written",
                         {"lease", options_.lease.ToString()}, {"error", status});
    }
    if (held_ && !leads()) Follow("the Lease could not be renewed in time");
    const absl::Duration next = NextTry();
    lock.lock();
    clock_.WaitUntil(lock, wake_, next, [&] { return stopping_; });
  }
  lock.unlock();
  if (held_) Release();
}

absl::Status LeaderElection::Try() {
  if (held_) {
    const absl::Status renewed = Renew();
    if (!absl::IsAborted(renewed)) return renewed;
    // Somebody else wrote it; that need not be another leader.
  }
  const absl::Status status = LookAndTake();
  // Another candidate was faster, which is no failure.
  return absl::IsAborted(status) ? absl::OkStatus() : status;
}

absl::Status LeaderElection::Renew() {
  const absl::Duration asked = clock_.MonotonicNow();
  LeaseRecord record = held_->record;
  record.renewed = FormatMicroTime(clock_.WallNow());
  absl::StatusOr<Lease> written = client_.Update(*held_, record);
  if (!written.ok()) return written.status();
  Lead(*std::move(written), asked);
  return absl::OkStatus();
}

absl::Status LeaderElection::LookAndTake() {
  const absl::Duration asked = clock_.MonotonicNow();
  LeaseRecord record;
  record.holder = options_.identity;
  record.duration = options_.duration;
  record.renewed = FormatMicroTime(clock_.WallNow());
  record.acquired = record.renewed;

  const absl::StatusOr<Lease> found = client_.Read();
  if (absl::IsNotFound(found.status())) {
    absl::StatusOr<Lease> created = client_.Create(record);
    if (!created.ok()) return created.status();
    Lead(*std::move(created), asked);
    return absl::OkStatus();
  }
  if (!found.ok()) return found.status();

  Observe(found->record);
  const bool ours = found->record.holder == options_.identity;
  const bool expired = observed_at_ + found->record.duration <= clock_.MonotonicNow();
  if (!ours && !found->record.holder.empty() && !expired) {
    if (held_) Follow("another controller holds the Lease");
    return absl::OkStatus();
  }
  record.transitions = found->record.transitions;
  if (ours) {
    record.acquired = found->record.acquired;
  } else {
    ++record.transitions;
  }
  absl::StatusOr<Lease> written = client_.Update(*found, record);
  if (!written.ok()) return written.status();
  Lead(*std::move(written), asked);
  return absl::OkStatus();
}

void LeaderElection::Release() {
  LeaseRecord record = held_->record;
  record.holder.clear();
  record.duration = absl::Seconds(1);  // 0 is no valid duration
  record.renewed = FormatMicroTime(clock_.WallNow());
  record.acquired = record.renewed;
  absl::StatusOr<Lease> written = client_.Update(*held_, record);
  // A connection that rested may have died, which only its use shows.
  if (absl::IsUnavailable(written.status())) written = client_.Update(*held_, record);
  if (!written.ok()) {
    HEADGATE_LOG(kWarn, "leader", "the Lease could not be released; others wait until it expires",
                 {"lease", options_.lease.ToString()}, {"error", written.status()});
  }
  Follow("the controller stops");
}

void LeaderElection::Lead(Lease lease, absl::Duration asked) {
  const bool news = !held_;
  Observe(lease.record);
  held_ = std::move(lease);
  leads_until_ns_.store(absl::ToInt64Nanoseconds(asked + options_.renew_deadline()),
                        std::memory_order_release);
  if (!news) return;
  leading_gauge_.Set(1);
  HEADGATE_LOG(kInfo, "leader", "this controller leads", {"lease", options_.lease.ToString()},
               {"identity", options_.identity});
  on_change_();
}

void LeaderElection::Follow(std::string_view why) {
  held_.reset();
  leads_until_ns_.store(0, std::memory_order_release);
  leading_gauge_.Set(0);
  HEADGATE_LOG(kInfo, "leader", "this controller does not lead any more", {"because", why});
  on_change_();
}

void LeaderElection::Observe(const LeaseRecord& record) {
  if (record == observed_) return;
  if (record.holder != observed_.holder && !record.holder.empty() &&
      record.holder != options_.identity) {
    HEADGATE_LOG(kInfo, "leader", "another controller leads", {"identity", record.holder});
  }
  observed_ = record;
  observed_at_ = clock_.MonotonicNow();
}

absl::Duration LeaderElection::NextTry() {
  const absl::Duration now = clock_.MonotonicNow();
  if (held_) return now + options_.retry_period();
  // Candidates spread out...
  const absl::Duration jittered =
      now +
      options_.retry_period() * (1 + 1.2 * std::uniform_real_distribution<double>(0, 1)(random_));
  // ... but none sleeps through the end of a Lease.
  const absl::Duration expires = observed_at_ + observed_.duration;
  return expires > now ? std::min(jittered, expires) : jittered;
}

}  // namespace headgate::kube
