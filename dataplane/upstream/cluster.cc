#include "dataplane/upstream/cluster.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "dataplane/balance/ewma.h"
#include "dataplane/upstream/cluster_set.h"

namespace headgate::upstream {
namespace {

bool SpeaksHttp10(const config::CompiledCluster& cluster) {
  return cluster.connections != nullptr && cluster.connections->http_1_0;
}

// What an attempt without a response counts as where the speed of answers decides.
constexpr std::chrono::seconds kCostOfFailure{1};

}  // namespace

Cluster::~Cluster() {
  for (auto& endpoint : endpoints_) set_.Adopt(std::move(endpoint));
}

void Cluster::Update(std::shared_ptr<const config::CompiledCluster> compiled) {
  absl::flat_hash_map<base::Address, std::unique_ptr<Endpoint>> before;
  const bool same = compiled_ != nullptr && compiled_->protocol == compiled->protocol &&
                    compiled_->tls == compiled->tls &&
                    SpeaksHttp10(*compiled_) == SpeaksHttp10(*compiled);
  for (auto& endpoint : endpoints_) {
    if (!same) {
      set_.Adopt(std::move(endpoint));
      continue;
    }
    const bool first = before.try_emplace(endpoint->address(), std::move(endpoint)).second;
    if (!first)
      set_.Adopt(std::move(endpoint));  // the same address twice; try_emplace has left it to us
  }
  endpoints_.clear();
  compiled_ = std::move(compiled);
  if (!same) {
    tls_ =
        compiled_->tls == nullptr
            ? nullptr
            : std::make_unique<tls::ClientContext>(
                  compiled_->tls, compiled_->protocol == config::Protocol::kH2 ? "h2" : "http/1.1",
                  set_.tls_scratch());
  }
  endpoints_.reserve(compiled_->endpoints.size());
  for (const config::CompiledEndpoint& wanted : compiled_->endpoints) {
    const auto known = before.find(wanted.address);
    endpoints_.push_back(
        known != before.end() && known->second != nullptr
            ? std::move(known->second)
            : Endpoint::Make(set_, *this, wanted.address, compiled_->protocol, tls_.get()));
    endpoints_.back()->SetCandidates(wanted.candidates);
    endpoints_.back()->weight = wanted.weight;
    endpoints_.back()->draining = wanted.draining;
    endpoints_.back()->backup = wanted.backup;
  }
  stale_ = true;
  for (auto& [address, endpoint] : before) {
    if (endpoint != nullptr) set_.Adopt(std::move(endpoint));
  }
  UpdateConnectionRules();
  UpdateHealth();
  UpdateLimits();
  Warm(compiled_->warm_connections);
}

void Cluster::UpdateConnectionRules() {
  for (const auto& endpoint : endpoints_)
    endpoint->SetConnectionRules(compiled_->connections.get());
}

void Cluster::Warm(size_t most) {
  // A connection that says who its client is serves that one.
  if (most == 0 || compiled_->proxy_protocol != net::ProxyVersion::kNone) return;
  for (const auto& endpoint : endpoints_) {
    if (!endpoint->available || endpoint->draining || endpoint->backup) continue;
    if (!set_.HasRoomForIdle() ||
        !endpoint->Warm(compiled_->warm_connections, most, set_.connect_timeout()))
      return;
  }
}

void Cluster::UpdateLimits() {
  const config::ClusterLimits* const limits = compiled_->limits.get();
  if (limits == nullptr && waiting_ == nullptr) return;
  for (size_t i = 0; i < endpoints_.size(); ++i) {
    if (limits == nullptr) {
      endpoints_[i]->SetUsage(nullptr, nullptr);
    } else {
      endpoints_[i]->SetUsage(limits->usage, limits->requests[i]);
    }
  }
  if (limits == nullptr) {
    waiting_.reset();
    return;
  }
  if (waiting_ == nullptr || waiting_->usage() != limits->usage) {
    waiting_ = std::make_unique<WaitQueue>(set_, limits->usage);
  }
  waiting_->RunSoon();  // there may be more room than before
}

Endpoint* Cluster::Take(Endpoint& picked, std::span<const balance::PeerId> tried, bool fresh,
                        bool with_preamble) {
  const config::UpstreamLimits& limits = compiled_->limits->limits;
  if (picked.TryTake(limits, fresh, with_preamble)) return &picked;
  const auto another = [&](const Endpoint& endpoint) {
    return endpoint.available == picked.available && endpoint.draining == picked.draining &&
           endpoint.backup == picked.backup &&
           std::find(tried.begin(), tried.end(), endpoint.id) == tried.end();
  };
  const bool no_connection =
      limits.max_connections != 0 &&
      compiled_->limits->usage->connections.value() >= limits.max_connections;
  Endpoint* best = nullptr;
  for (const auto& endpoint : endpoints_) {
    if (!another(*endpoint) || (no_connection && endpoint->NeedsConnection(fresh, with_preamble)))
      continue;
    if (best == nullptr || endpoint->requests_of_all() < best->requests_of_all())
      best = endpoint.get();
  }
  return best != nullptr && best->TryTake(limits, fresh, with_preamble) ? best : nullptr;
}

bool Cluster::Wait(WaitingRequest& request) {
  if (waiting_->Add(request, compiled_->limits->limits.max_pending)) return true;
  CountRejected();
  return false;
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
  balancer_.Reset(compiled_->balancing == nullptr ? kRoundRobin : compiled_->balancing->policy,
                  compiled_->ring, peers, set_.io().loop().now());
}

void Cluster::SetAvailable(Endpoint& endpoint, bool available) {
  if (endpoint.available == available) return;
  endpoint.available = available;
  stale_ = true;
  if (waiting_ != nullptr) waiting_->RunSoon();
}

void Cluster::SetShare(Endpoint& endpoint, float share) {
  if (endpoint.share == share) return;
  endpoint.share = share;
  stale_ = true;
}

void Cluster::OnAttemptEnd(Endpoint& endpoint, const AttemptOutcome& outcome) {
  if (health_ != nullptr) health_->OnAttemptEnd(endpoint, outcome);
  if (compiled_->balancing == nullptr ||
      compiled_->balancing->policy.policy != balance::Policy::kEwma)
    return;
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
  const bool usable =
      endpoint->available || std::none_of(endpoints_.begin(), endpoints_.end(),
                                          [](const auto& other) { return other->available; });
  return usable ? endpoint : nullptr;
}

std::string_view Cluster::SessionKeyOf(const Endpoint& endpoint) const {
  if (endpoint.backup) return {};
  const auto at = std::find_if(endpoints_.begin(), endpoints_.end(),
                               [&](const auto& candidate) { return candidate.get() == &endpoint; });
  return compiled_->session_keys->endpoint_key(static_cast<uint32_t>(at - endpoints_.begin()));
}

}  // namespace headgate::upstream
