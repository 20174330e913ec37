#include "dataplane/health/group.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "common/log.h"

namespace headgate::health {

Group::Group(const Environment& environment, const config::CompiledCluster& cluster,
             GroupOwner& owner)
    : environment_(environment),
      owner_(owner),
      health_(cluster.health),
      context_{environment.io, environment.options, *health_->check, cluster.protocol,
               net::OwnProxyHeader(cluster.proxy_protocol)} {
  RedoUnhealthy();
  Update(cluster);
}

void Group::Update(const config::CompiledCluster& cluster) {
  UseTls(cluster);
  absl::flat_hash_set<base::Address> wanted;
  for (const config::CompiledEndpoint& endpoint : cluster.endpoints)
    wanted.insert(endpoint.address);
  bool lost_unhealthy = false;
  absl::erase_if(probers_, [&](const auto& entry) {
    if (wanted.contains(entry.first)) return false;
    lost_unhealthy = lost_unhealthy || !entry.second->healthy();
    return true;
  });
  ProberOwner& owner = *this;
  for (const base::Address& address : wanted) {
    std::unique_ptr<Prober>& prober = probers_[address];
    if (prober != nullptr) continue;
    prober = std::make_unique<Prober>(context_, address, environment_.seed ^ absl::HashOf(address),
                                      owner);
  }
  if (!lost_unhealthy) return;
  RedoUnhealthy();
  owner_.OnVerdictChanged(*this);
}

void Group::UseTls(const config::CompiledCluster& cluster) {
  if (cluster.tls == tls_policy_) return;
  for (auto& [address, prober] : probers_) prober->Abandon();
  tls_policy_ = cluster.tls;
  const bool http2 =
      check().kind == config::HealthCheck::Kind::kGrpc || cluster.protocol == config::Protocol::kH2;
  tls_ = tls_policy_ == nullptr
             ? nullptr
             : std::make_unique<tls::ClientContext>(tls_policy_, http2 ? "h2" : "http/1.1",
                                                    environment_.tls_scratch);
  context_.tls = tls_.get();
}

void Group::OnProbed(Prober& prober, bool success, bool changed) {
  owner_.OnProbed(success);
  if (!changed) return;
  RedoUnhealthy();
  HEADGATE_LOG(kInfo, "health", prober.healthy() ? "endpoint is healthy" : "endpoint is unhealthy",
               {"upstream", source()}, {"endpoint", prober.endpoint().Text()},
               {"probe", prober.detail()}, {"unhealthy", unhealthy_->addresses.size()},
               {"of", probers_.size()});
  owner_.OnVerdictChanged(*this);
}

void Group::RedoUnhealthy() {
  auto unhealthy = std::make_shared<config::UnhealthyEndpoints>();
  unhealthy->group = key();
  for (const auto& [address, prober] : probers_) {
    if (!prober->healthy()) unhealthy->addresses.push_back(address);
  }
  unhealthy_ = std::move(unhealthy);
}

std::string_view Group::DetailOf(const base::Address& endpoint) const {
  const auto at = probers_.find(endpoint);
  return at == probers_.end() ? std::string_view() : at->second->detail();
}

}  // namespace headgate::health
