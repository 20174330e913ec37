#include "dataplane/health/checker.h"

#include <pthread.h>

#include <algorithm>
#include <future>
#include <utility>

#include "common/backoff.h"

namespace headgate::health {
namespace {

std::string_view KindName(config::HealthCheck::Kind kind) {
  switch (kind) {
    case config::HealthCheck::Kind::kHttp: return "http";
    case config::HealthCheck::Kind::kTcp: return "tcp";
    case config::HealthCheck::Kind::kGrpc: return "grpc";
  }
  return "";
}

bool Before(const base::Address& a, const base::Address& b) {
  return std::tuple(!a.is_v4(), a.bytes(), a.port()) < std::tuple(!b.is_v4(), b.bytes(), b.port());
}

}  // namespace

Checker::Checker(Sink sink) : sink_(std::move(sink)), seed_(RandomSeed()) {}

Checker::~Checker() { Stop(); }

void Checker::Start() {
  thread_ = std::thread([this] { loop_.Run(); });
  pthread_setname_np(thread_.native_handle(), "health");
}

void Checker::Stop() {
  if (!thread_.joinable()) return;
  loop_.Post([this] {
    by_slot_.clear();
    groups_.clear();
    to_tell_.clear();
    loop_.Stop();
  });
  thread_.join();
}

void Checker::Apply(const config::ConfigUpdate& update) {
  if (update.clusters.empty()) return;
  loop_.Post([this, clusters = update.clusters] { ApplyNow(clusters); });
}

void Checker::ApplyNow(const std::vector<config::ClusterUpdate>& clusters) {
  for (const config::ClusterUpdate& update : clusters) SetCluster(update.slot, update.cluster);
}

void Checker::SetCluster(config::ClusterSlot slot,
                         const std::shared_ptr<const config::CompiledCluster>& cluster) {
  const bool wanted = cluster != nullptr && cluster->health != nullptr && cluster->health->check;
  const auto known = by_slot_.find(slot);
  if (known != by_slot_.end()) {
    if (wanted && known->second->key() == cluster->health->group)
      return known->second->Update(*cluster);
    LeaveGroup(slot);
  }
  if (!wanted) return;
  std::unique_ptr<Group>& group = groups_[cluster->health->group];
  if (group == nullptr) {
    GroupOwner& owner = *this;
    group = std::make_unique<Group>(Group::Environment{io_, options_, tls_scratch_, seed_},
                                    *cluster, owner);
  } else {
    group->Update(*cluster);
  }
  group->slots().insert(slot);
  by_slot_[slot] = group.get();
  if (group->unhealthy()->addresses.empty()) return;
  to_tell_.insert(slot);
  loop_.Schedule(tell_);
}

void Checker::LeaveGroup(config::ClusterSlot slot) {
  const auto at = by_slot_.find(slot);
  Group& group = *at->second;
  by_slot_.erase(at);
  group.slots().erase(slot);
  if (group.slots().empty()) groups_.erase(group.key());
}

void Checker::OnProbed(bool success) {
  probes_.Add();
  if (!success) failed_probes_.Add();
}

void Checker::OnVerdictChanged(Group& group) {
  to_tell_.insert(group.slots().begin(), group.slots().end());
  loop_.Schedule(tell_);
}

void Checker::Tell() {
  std::vector<config::HealthVerdict> verdicts;
  for (const config::ClusterSlot slot : std::exchange(to_tell_, {})) {
    const auto at = by_slot_.find(slot);
    if (at != by_slot_.end()) verdicts.push_back({slot, at->second->unhealthy()});
  }
  if (!verdicts.empty()) sink_(std::move(verdicts));
}

std::vector<UpstreamStatus> Checker::Status() {
  std::vector<UpstreamStatus> status;
  // The promise goes with the work: where that is dropped unrun, the wait ends too.
  std::promise<void> done;
  const std::future<void> over = done.get_future();
  loop_.Post([this, &status, done = std::move(done)]() mutable {
    status = StatusNow();
    done.set_value();
  });
  over.wait();
  return status;
}

std::vector<UpstreamStatus> Checker::StatusNow() const {
  std::vector<UpstreamStatus> all;
  all.reserve(groups_.size());
  for (const auto& [key, group] : groups_) {
    UpstreamStatus status{.source = group->source(),
                          .check = KindName(group->check().kind),
                          .endpoints = group->size(),
                          .unhealthy = {}};
    for (const base::Address& address : group->unhealthy()->addresses) {
      status.unhealthy.push_back({address, group->DetailOf(address)});
    }
    std::sort(status.unhealthy.begin(), status.unhealthy.end(),
              [](const auto& a, const auto& b) { return Before(a.address, b.address); });
    all.push_back(std::move(status));
  }
  std::sort(all.begin(), all.end(), [](const UpstreamStatus& a, const UpstreamStatus& b) {
    return std::tie(a.source, a.check) < std::tie(b.source, b.check);
  });
  return all;
}

}  // namespace headgate::health
