#include "dataplane/upstream/cluster_set.h"

#include <algorithm>
#include <utility>

namespace headgate::upstream {
namespace {

constexpr net::milliseconds kSweepEvery{1000};

size_t TellsClients(const config::CompiledCluster* cluster) {
  return cluster != nullptr && cluster->proxy_protocol != net::ProxyVersion::kNone ? 1 : 0;
}

}  // namespace

ClusterSet::ClusterSet(codec::WorkerIo& io, uint64_t seed)
    : io_(io), seed_(seed), sweep_timer_(io.loop().timers(), *this) {}

ClusterSet::~ClusterSet() {
  slots_.clear();  // hands its endpoints to leaving_
}

void ClusterSet::Configure(const config::CompiledSettings& settings) {
  options_.limits.max_head_bytes = settings.max_response_head_bytes;
  options_.max_requests = settings.max_requests_per_upstream_connection;
  options_.max_age = settings.upstream_connection_age;
  single_use_options_ = options_;
  single_use_options_.max_requests = 1;
  idle_timeout_ = settings.upstream_idle_timeout;
  connect_timeout_ = settings.connect_timeout;
  max_idle_ = settings.upstream_idle_connections;
  for (const Slot& slot : slots_) {
    if (slot.cluster != nullptr && slot.compiled->connections != nullptr)
      slot.cluster->UpdateConnectionRules();
  }
}

void ClusterSet::Apply(std::span<const config::ClusterUpdate> updates,
                       config::ClusterSlot slot_count) {
  if (slot_count > slots_.size()) slots_.resize(slot_count);
  for (const config::ClusterUpdate& update : updates) {
    Slot& slot = slots_[update.slot];
    telling_ -= TellsClients(slot.compiled.get());
    slot.compiled = update.cluster;
    telling_ += TellsClients(slot.compiled.get());
    const Cluster* const before = slot.cluster.get();
    if (before != nullptr &&
        (slot.compiled == nullptr || slot.compiled->id != before->compiled().id)) {
      slot.cluster.reset();  // gone, or the slot has a new tenant
    } else if (before != nullptr) {
      slot.cluster->Update(slot.compiled);
      slot.cluster->SetUnhealthy(UnhealthyOf(update.slot));
    }
    UpdateWarm(update.slot);
  }
}

void ClusterSet::UpdateWarm(config::ClusterSlot index) {
  const config::CompiledCluster* const cluster = slots_[index].compiled.get();
  if (closed_ || cluster == nullptr || cluster->warm_connections == 0) {
    warm_.erase(index);
    return;
  }
  warm_.insert(index);
  Find(index);  // which makes the connections
  if (!sweep_timer_.armed()) sweep_timer_.Arm(kSweepEvery);
}

const config::UnhealthyEndpoints* ClusterSet::UnhealthyOf(config::ClusterSlot index) {
  const auto known = unhealthy_.find(index);
  if (known == unhealthy_.end()) return nullptr;
  const config::CompiledCluster* const cluster = slots_[index].compiled.get();
  if (cluster != nullptr && cluster->health != nullptr &&
      cluster->health->group == known->second->group) {
    return known->second.get();
  }
  unhealthy_.erase(known);
  return nullptr;
}

void ClusterSet::ApplyHealth(std::span<const config::HealthVerdict> verdicts) {
  for (const config::HealthVerdict& verdict : verdicts) {
    if (verdict.slot >= slots_.size()) continue;
    if (verdict.unhealthy->addresses.empty()) {
      unhealthy_.erase(verdict.slot);
    } else {
      unhealthy_[verdict.slot] = verdict.unhealthy;
    }
    const config::UnhealthyEndpoints* const unhealthy = UnhealthyOf(verdict.slot);
    if (slots_[verdict.slot].cluster != nullptr)
      slots_[verdict.slot].cluster->SetUnhealthy(unhealthy);
  }
}

Cluster* ClusterSet::Find(config::ClusterSlot index) {
  if (index >= slots_.size()) return nullptr;
  Slot& slot = slots_[index];
  if (slot.compiled == nullptr) return nullptr;
  if (slot.cluster == nullptr) {
    slot.cluster = std::make_unique<Cluster>(*this, seed_ ^ (uint64_t{index} * 0x9e3779b97f4a7c15));
    slot.cluster->Update(slot.compiled);
    slot.cluster->SetUnhealthy(UnhealthyOf(index));
  }
  return slot.cluster.get();
}

tls::IoScratch& ClusterSet::tls_scratch() {
  if (tls_scratch_ == nullptr) tls_scratch_ = std::make_unique<tls::IoScratch>();
  return *tls_scratch_;
}

void ClusterSet::OnIdleCount(Endpoint& endpoint, int change) {
  idle_ += static_cast<size_t>(change);
  if (endpoint.idle_count() == 0) {
    endpoint.Unlink();
  } else if (!endpoint.linked()) {
    with_idle_.PushBack(endpoint);
  }
  if (change > 0) {
    // Connections must not be closed from inside a call of theirs.
    if (endpoint.leaving() || endpoint.surplus() > 0 || idle_ > max_idle_)
      io_.loop().Schedule(sweep_soon_);
    if (!sweep_timer_.armed()) sweep_timer_.Arm(kSweepEvery);
  }
}

void ClusterSet::Adopt(std::unique_ptr<Endpoint> endpoint) {
  Endpoint& leaving = *endpoint;
  leaving_.emplace(&leaving, std::move(endpoint));
  leaving.Leave();
}

void ClusterSet::OnEndpointLeft(Endpoint& endpoint) {
  const auto owned = leaving_.find(&endpoint);
  endpoint.Unlink();
  io_.loop().Retire(std::move(owned->second));
  leaving_.erase(owned);
}

void ClusterSet::TryWithoutQueue(WaitingRequest& request) {
  without_queue_.PushBack(request);
  io_.loop().Schedule(try_soon_);
}

void ClusterSet::TryThoseWithoutQueue() {
  while (!without_queue_.empty()) {
    WaitingRequest& request = without_queue_.front();
    request.StopWaiting();
    request.TryBegin();
  }
}

void ClusterSet::OnTimer(net::Timer& /*timer*/) {
  Sweep();
  // One by one: an endpoint that refuses them is not to be flooded.
  for (const config::ClusterSlot slot : warm_) Find(slot)->Warm(1);
  if (idle_ > 0 || !warm_.empty()) sweep_timer_.Arm(kSweepEvery);
}

void ClusterSet::Sweep() {
  const net::TimePoint now = io_.loop().now();
  with_idle_.ForEach([&](Endpoint& endpoint) {
    if (const size_t surplus = endpoint.surplus(); surplus > 0) endpoint.CloseOldestIdle(surplus);
    endpoint.CloseIdleSince(endpoint.leaving() ? net::TimePoint::max()
                                               : now - endpoint.idle_timeout(idle_timeout_));
  });
  while (idle_ > max_idle_) {  // too many for the worker as a whole
    Endpoint& endpoint = with_idle_.front();
    endpoint.CloseOldestIdle(std::min(idle_ - max_idle_, endpoint.idle_count()));
  }
}

void ClusterSet::CloseIdle() {
  closed_ = true;
  warm_.clear();
  with_idle_.ForEach([](Endpoint& endpoint) { endpoint.CloseIdleSince(net::TimePoint::max()); });
}

}  // namespace headgate::upstream
