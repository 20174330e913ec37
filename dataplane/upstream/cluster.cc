#include "dataplane/upstream/cluster.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "dataplane/balance/ewma.h"
#include "dataplane/upstream/cluster_set.h"

namespace headgate::upstream {
namespace {

// What an attempt without a response counts as where the speed of answers decides.
constexpr std::chrono::seconds kCostOfFailure{1};

}  // namespace

Cluster::~Cluster() {
  for (auto& endpoint : endpoints_) set_.Adopt(std::move(endpoint));
}

void Cluster::Update(std::shared_ptr<const config::CompiledCluster> compiled) {
  absl::flat_hash_map<base::Address, std::unique_ptr<Endpoint>> before;
  const bool same = compiled_ != nullptr && compiled_->protocol == compiled->protocol &&
                    compiled_->tls == compiled->tls;
  for (auto& endpoint : endpoints_) {
    if (!same) {
      set_.Adopt(std::move(endpoint));
      continue;
    }
    const bool first = before.try_emplace(endpoint->address(), std::move(endpoint)).second;
    if (!first) set_.Adopt(std::move(endpoint));  // the same address twice; try_emplace has left it to us
  }
  endpoints_.clear();
  compiled_ = std::move(compiled);
  if (!same) {
    tls_ = compiled_->tls == nullptr
               ? nullptr
               : std::make_unique<tls::ClientContext>(
                     compiled_->tls, compiled_->protocol == config::Protocol::kH2 ? "h2" : "http/1.1",
                     set_.tls_scratch());
  }
  endpoints_.reserve(compiled_->endpoints.size());
  for (const config::CompiledEndpoint& wanted : compiled_->endpoints) {
    const auto known = before.find(wanted.address);
    endpoints_.push_back(known != before.end() && known->second != nullptr
                             ? std::move(known->second)
                             : Endpoint::Make(set_, *this, wanted.address, compiled_->protocol, tls_.get()));
    endpoints_.back()->weight = wanted.weight;
    endpoints_.back()->draining = wanted.draining;
    endpoints_.back()->backup = wanted.backup;
  }
  stale_ = true;
  for (auto& [address, endpoint] : before) {
    if (endpoint != nullptr) set_.Adopt(std::move(endpoint));
  }
  UpdateHealth();
}

void Cluster::UpdateHealth() {
  const config::UpstreamHealth* const wanted = compiled_->health.get();
  if (wanted == nullptr || !wanted->any_state()) {
    if (health_ == nullptr) return;
    health_.reset();
    for (const auto& endpoint : endpoints_) {
      SetAvailable(*endpoint, true);
      SetShare(*endpoint, 1);
    }
    return;
  }
  if (health_ == nullptr) health_ = std::make_unique<ClusterHealth>(*this, set_.io());
  health_->OnUpdate();
}

void Cluster::ResetBalancer() {
  stale_ = false;
  absl::InlinedVector<balance::Peer*, 16> peers;
  peers.reserve(endpoints_.size());
  for (const auto& endpoint : endpoints_) peers.push_back(endpoint.get());
  static const balance::PolicySpec kRoundRobin;
  balancer_.Reset(compiled_->balancing == nullptr ? kRoundRobin : compiled_->balancing->policy, compiled_->ring, peers,
                  set_.io().loop().now());
}

void Cluster::SetAvailable(Endpoint& endpoint, bool available) {
  if (endpoint.available == available) return;
  endpoint.available = available;
  stale_ = true;
}

void Cluster::SetShare(Endpoint& endpoint, float share) {
  if (endpoint.share == share) return;
  endpoint.share = share;
  stale_ = true;
}

void Cluster::OnAttemptEnd(Endpoint& endpoint, const AttemptOutcome& outcome) {
  if (health_ != nullptr) health_->OnAttemptEnd(endpoint, outcome);
  if (compiled_->balancing == nullptr || compiled_->balancing->policy.policy != balance::Policy::kEwma) return;
  const net::TimePoint now = set_.io().loop().now();
  if (outcome.failure != base::Failure::Kind::kNone && outcome.status == 0) {
    // To fail at once must not look fast.
    balance::Observe(endpoint, kCostOfFailure, now);
  } else if (outcome.header_time.count() >= 0) {
    balance::Observe(endpoint, outcome.header_time, now);
  }
}

Endpoint* Cluster::FindBySessionKey(std::string_view key) const {
  if (compiled_->session_keys == nullptr) return nullptr;
  const auto index = compiled_->session_keys->FindEndpoint(key);
  if (!index) return nullptr;
  Endpoint* endpoint = endpoints_[*index].get();
  const bool usable = endpoint->available || std::none_of(endpoints_.begin(), endpoints_.end(), [](const auto& other) {
                        return other->available;
                      });
  return usable ? endpoint : nullptr;
}

std::string_view Cluster::SessionKeyOf(const Endpoint& endpoint) const {
  if (endpoint.backup) return {};
  const auto at = std::find_if(endpoints_.begin(), endpoints_.end(),
                               [&](const auto& candidate) { return candidate.get() == &endpoint; });
  return compiled_->session_keys->endpoint_key(static_cast<uint32_t>(at - endpoints_.begin()));
}

}  // namespace headgate::upstream
