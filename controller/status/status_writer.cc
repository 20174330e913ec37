#include "controller/status/status_writer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/log.h"

namespace headgate::status {
namespace {

constexpr size_t kMaxPublished = 16;

}  // namespace

StatusWriter::StatusWriter(const StatusWriterOptions& options,
                           std::unique_ptr<kube::Transport> transport, std::function<bool()> leads,
                           const Clock& clock, MetricsRegistry& metrics)
    : options_(options),
      leads_(std::move(leads)),
      clock_(clock),
      written_(metrics.AddCounter("headgate_status_updates_total",
                                  "Ingresses whose status was brought up to date.")),
      failed_(metrics.AddCounter("headgate_status_failures_total",
                                 "Attempts to write the status of an Ingress that failed.")),
      client_(std::move(transport)),
      next_round_(clock.MonotonicNow() + options.interval),
      backoff_({.initial = options.retry, .max = options.interval}, RandomSeed()),
      task_(clock, [this] { return TakeTurn(); }) {}

StatusWriter::~StatusWriter() { Stop(false); }

void StatusWriter::Start() { task_.Start(); }

void StatusWriter::Stop(bool clear) {
  const bool ran = task_.Stop([&] {
    if (!clear) client_.Cancel();
  });
  if (ran && clear && leads_()) Clear();
}

void StatusWriter::SetAddresses(std::optional<AddressList> addresses) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (addresses == addresses_) return;
  addresses_ = std::move(addresses);
  if (addresses_) published_.push_back(*addresses_);
  if (published_.size() > kMaxPublished) published_.pop_front();
  MarkAll();
  task_.Wake();
}

void StatusWriter::Observe(const kube::ObjectKey& key, IngressPtr ingress) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (ingress == nullptr) {
    ingresses_.erase(key);
    due_.erase(key);
    return;
  }
  IngressPtr& held = ingresses_[key];
  const bool is_new = held == nullptr || held->meta.uid != ingress->meta.uid;
  held = std::move(ingress);
  if (!Differs(*held)) {
    due_.erase(key);
  } else if (is_new) {
    due_.insert(key);
    task_.Wake();
  }
}

void StatusWriter::LeadChanged() {
  const std::lock_guard<std::mutex> lock(mutex_);
  lead_changed_ = true;
  task_.Wake();
}

void StatusWriter::MarkAll() {
  due_.clear();
  if (!addresses_) return;
  for (const auto& [key, ingress] : ingresses_) {
    if (Differs(*ingress)) due_.insert(key);
  }
}

bool StatusWriter::Differs(const kube::Ingress& ingress) const {
  return addresses_ && ingress.addresses != *addresses_;
}

absl::Duration StatusWriter::TakeTurn() {
  const absl::Duration spacing = absl::Seconds(1) / options_.rate;
  std::unique_lock<std::mutex> lock(mutex_);
  const absl::Duration now = clock_.MonotonicNow();
  if (now >= next_round_ || std::exchange(lead_changed_, false)) {
    MarkAll();
    next_round_ = now + options_.interval;
  }
  if (!leads_() || !MayWrite()) return next_round_ - now;
  const absl::Duration may_at = std::max(rested_at_ - spacing * options_.burst, pause_until_);
  if (may_at > now) return std::min(may_at, next_round_) - now;
  rested_at_ = std::max(rested_at_, now) + spacing;
  WriteOne(lock);
  return absl::ZeroDuration();
}

void StatusWriter::WriteOne(std::unique_lock<std::mutex>& lock) {
  const kube::ObjectKey key = *due_.begin();
  due_.erase(due_.begin());
  const IngressPtr ingress = ingresses_[key];
  const AddressList addresses = *addresses_;
  lock.unlock();
  absl::StatusOr<IngressPtr> written = Write(*ingress, addresses);
  lock.lock();
  const auto at = ingresses_.find(key);
  const bool same = at != ingresses_.end() && at->second == ingress;
  if (written.ok()) {
    backoff_.Reset();
    // The watch brings it too, but we may be told to stop before.
    if (same) at->second = *std::move(written);
  } else if (!absl::IsNotFound(written.status())) {
    pause_until_ = clock_.MonotonicNow() + backoff_.Next();
    if (same && Differs(*ingress)) due_.insert(key);
  }
}

void StatusWriter::Clear() {
  const absl::Duration deadline = clock_.MonotonicNow() + options_.clear_limit;
  // What another program wrote there is not ours to take away.
  std::vector<IngressPtr> ours;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& [key, ingress] : ingresses_) {
      const bool by_us =
          std::find(published_.begin(), published_.end(), ingress->addresses) != published_.end();
      if (by_us && !ingress->addresses.empty()) ours.push_back(ingress);
    }
  }
  size_t done = 0;
  for (const IngressPtr& ingress : ours) {
    if (clock_.MonotonicNow() >= deadline) break;
    absl::Status written = Write(*ingress, {}).status();
    // A connection that rested may have died, which only its use shows.
    if (absl::IsUnavailable(written)) written = Write(*ingress, {}).status();
    if (written.ok()) ++done;
  }
  HEADGATE_LOG(kInfo, "status", "the addresses were taken from the status of Ingresses",
               {"ingresses", done}, {"left_out", ours.size() - done});
}

absl::StatusOr<StatusWriter::IngressPtr> StatusWriter::Write(const kube::Ingress& ingress,
                                                             const AddressList& addresses) {
  absl::StatusOr<kube::Ingress> written = client_.Write(ingress, addresses);
  if (written.ok()) {
    written_.Add();
    return std::make_shared<const kube::Ingress>(*std::move(written));
  }
  if (absl::IsNotFound(written.status())) return written.status();  // the watch says the same
  failed_.Add();
  HEADGATE_LOG_EVERY(60, kWarn, "status", "the status of an Ingress could not be written",
                     {"ingress", ingress.meta.key.ToString()}, {"error", written.status()});
  return written.status();
}

}  // namespace headgate::status
