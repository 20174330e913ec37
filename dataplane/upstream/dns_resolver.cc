#include "dataplane/upstream/dns_resolver.h"

#include <algorithm>
#include <utility>

#include "common/log.h"

namespace headgate::upstream {

DnsResolver::DnsResolver(const Clock& clock, Lookup lookup, Callback callback, Options options)
    : clock_(clock),
      lookup_(std::move(lookup)),
      callback_(std::move(callback)),
      options_(std::move(options)) {}

DnsResolver::~DnsResolver() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void DnsResolver::Start(const std::string& name) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const uint64_t serial = ++changes_;
    names_.emplace(name, Name{.serial = serial,
                              .due = clock_.MonotonicNow(),
                              .backoff = Backoff(options_.retry, RandomSeed()),
                              .addresses = {}});
  }
  changed_.notify_all();
  while (threads_.size() < static_cast<size_t>(options_.threads)) {
    threads_.emplace_back([this] { Run(); });
  }
}

void DnsResolver::Stop(const std::string& name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  names_.erase(name);
}

std::pair<const std::string, DnsResolver::Name>* DnsResolver::EarliestDue() {
  std::pair<const std::string, Name>* earliest = nullptr;
  for (auto& entry : names_) {
    if (entry.second.looking) continue;
    if (earliest == nullptr || entry.second.due < earliest->second.due) earliest = &entry;
  }
  return earliest;
}

void DnsResolver::Run() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    auto* next = EarliestDue();
    const absl::Duration due = next == nullptr ? absl::InfiniteDuration() : next->second.due;
    if (due > clock_.MonotonicNow()) {
      const uint64_t seen = changes_;
      clock_.WaitUntil(lock, changed_, due, [&] { return stopping_ || changes_ != seen; });
      continue;
    }
    next->second.looking = true;
    const std::string name = next->first;
    const uint64_t serial = next->second.serial;
    lock.unlock();
    auto found = lookup_(name);
    lock.lock();

    auto at = names_.find(name);
    if (at == names_.end() || at->second.serial != serial) continue;
    if (Update(at->second, std::move(found)) && !stopping_) {
      const std::vector<base::Address> addresses = at->second.addresses;
      lock.unlock();
      callback_(name, addresses);
      lock.lock();
      at = names_.find(name);
      if (at == names_.end() || at->second.serial != serial) continue;
    }
    at->second.looking = false;
    ++changes_;
    changed_.notify_all();
  }
}

bool DnsResolver::Update(Name& name, absl::StatusOr<DnsAnswer> found) {
  const bool first = !std::exchange(name.answered, true);
  const absl::Duration now = clock_.MonotonicNow();
  if (!found.ok()) {
    name.due = now + name.backoff.Next();
    if (!std::exchange(name.failing, true)) {
      HEADGATE_LOG(kWarn, "dns", "lookup failed, trying again and again", {"error", found.status()},
                   {"addresses_kept", name.addresses.size()});
    }
    return first;
  }
  name.failing = false;
  name.backoff.Reset();
  name.due = now + std::clamp(found->ttl, options_.least_ttl, options_.most_ttl);
  // Name servers rotate their answers: the order means nothing.
  std::vector<base::Address> addresses = std::move(found->addresses);
  std::sort(addresses.begin(), addresses.end(), [](const base::Address& a, const base::Address& b) {
    return std::pair(!a.is_v4(), a.bytes()) < std::pair(!b.is_v4(), b.bytes());
  });
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  if (addresses == name.addresses) return first;
  name.addresses = std::move(addresses);
  return true;
}

}  // namespace headgate::upstream
