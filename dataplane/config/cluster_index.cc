#include "dataplane/config/cluster_index.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "dataplane/balance/ring_picker.h"
#include "dataplane/config/compile_health.h"

namespace headgate::config {
namespace {

template <typename T>
void EraseFirst(std::vector<T>& values, const T& value) {
  const auto at = std::find(values.begin(), values.end(), value);
  if (at != values.end()) values.erase(at);
}

void NameHealthGroup(std::string_view cluster, ClusterSpec& spec) {
  UpstreamHealth& health = *spec.health;
  if (!health.check) return;
  if (const auto* literal = std::get_if<base::Address>(&spec.source)) {
    health.source = literal->Text();
  } else if (const auto* endpoints = std::get_if<ClusterSpec::EndpointsName>(&spec.source)) {
    health.source = endpoints->name;
  } else {
    const auto& dns = std::get<ClusterSpec::DnsName>(spec.source);
    health.source = StrCat(dns.name, ":", dns.port);
  }
  health.group = StrCat(
      health.source, " ", health.backup_endpoints, " ", int{static_cast<uint8_t>(spec.protocol)},
      " ", int{static_cast<uint8_t>(spec.proxy_protocol)}, " ", Describe(*health.check));
  // How TLS is spoken belongs to the cluster.
  if (spec.tls != nullptr && health.check->kind != HealthCheck::Kind::kTcp) {
    StrAppend(&health.group, " ", cluster);
  }
}

std::vector<CompiledEndpoint> EndpointsOf(std::span<const base::Address> addresses) {
  std::vector<CompiledEndpoint> endpoints;
  for (const base::Address& address : addresses) endpoints.push_back({.address = address});
  return endpoints;
}

// RFC 8305 section 4: where there are addresses of both families each endpoint may be reached by
// either, IPv6 first. There are as many as the larger family has addresses, and each begins with
// others, so that the load is shared as before.
std::vector<CompiledEndpoint> InterleaveFamilies(std::span<const base::Address> addresses) {
  constexpr size_t kMost = 8;  // candidates
  std::vector<base::Address> v6;
  std::vector<base::Address> v4;
  for (const base::Address& address : addresses) (address.is_v4() ? v4 : v6).push_back(address);
  if (v4.empty() || v6.empty()) return EndpointsOf(addresses);
  std::vector<CompiledEndpoint> endpoints = EndpointsOf(v6.size() >= v4.size() ? v6 : v4);
  for (size_t i = 0; i < endpoints.size(); ++i) {
    auto candidates = std::make_shared<std::vector<base::Address>>();
    for (size_t j = 0; j < endpoints.size() && candidates->size() < kMost; ++j) {
      if (j < v6.size()) candidates->push_back(v6[(i + j) % v6.size()]);
      if (j < v4.size()) candidates->push_back(v4[(i + j) % v4.size()]);
    }
    endpoints[i].candidates = std::move(candidates);
  }
  return endpoints;
}

}  // namespace

void ClusterIndex::SetCluster(std::string_view name, ClusterSpec spec) {
  auto at = clusters_.find(name);
  if (at == clusters_.end()) {
    auto made = std::make_unique<Cluster>();
    made->handle = registry_.Acquire(name);
    const std::string_view key = made->handle.name();
    at = clusters_.emplace(key, std::move(made)).first;
  } else {
    Detach(*at->second);
  }
  Cluster& cluster = *at->second;
  cluster.spec = std::move(spec);
  cluster.tls = nullptr;
  if (cluster.spec.health != nullptr) NameHealthGroup(cluster.handle.name(), cluster.spec);
  Attach(cluster);
  MarkDirty(cluster);
}

void ClusterIndex::RemoveCluster(std::string_view name) {
  const auto at = clusters_.find(name);
  if (at == clusters_.end()) return;
  const std::unique_ptr<Cluster> cluster =
      std::move(at->second);  // holds the key until it is erased
  Detach(*cluster);
  if (cluster->dirty) EraseFirst(dirty_, cluster.get());
  removed_.push_back({cluster->handle.slot(), nullptr});
  clusters_.erase(at);
}

void ClusterIndex::SetEndpoints(std::string_view name, std::vector<CompiledEndpoint> endpoints) {
  auto at = endpoints_.find(name);
  if (at == endpoints_.end()) at = endpoints_.emplace(std::string(name), EndpointsSource{}).first;
  EndpointsSource& source = at->second;
  endpoints_count_ += source.given ? 0 : 1;
  source.given = true;
  source.endpoints = std::move(endpoints);
  for (Cluster* user : source.users) MarkDirty(*user);
}

void ClusterIndex::RemoveEndpoints(std::string_view name) {
  const auto at = endpoints_.find(name);
  if (at == endpoints_.end() || !at->second.given) return;
  --endpoints_count_;
  for (Cluster* user : at->second.users) MarkDirty(*user);
  if (at->second.users.empty()) {
    endpoints_.erase(at);
  } else {
    at->second.given = false;
    at->second.endpoints = {};
  }
}

void ClusterIndex::SetDnsAddresses(std::string_view dns_name,
                                   std::span<const base::Address> addresses) {
  const auto at = dns_.find(dns_name);
  if (at == dns_.end()) return;
  DnsSource& source = at->second;
  source.addresses.assign(addresses.begin(), addresses.end());
  source.resolved = true;
  for (Cluster* user : source.users) MarkDirty(*user);
}

void ClusterIndex::SetSecret(std::string_view name, TlsSecret secret) {
  auto at = secrets_.find(name);
  if (at == secrets_.end()) at = secrets_.emplace(std::string(name), SecretSource{}).first;
  secret_count_ += at->second.given ? 0 : 1;
  at->second.given = true;
  at->second.secret = std::move(secret);
  TlsChanged(at->second);
}

void ClusterIndex::RemoveSecret(std::string_view name) {
  const auto at = secrets_.find(name);
  if (at == secrets_.end() || !at->second.given) return;
  --secret_count_;
  TlsChanged(at->second);
  if (at->second.users.empty()) {
    secrets_.erase(at);
  } else {
    at->second.given = false;
    at->second.secret = {};
  }
}

void ClusterIndex::TlsChanged(SecretSource& source) {
  for (Cluster* user : source.users) {
    user->tls = nullptr;
    MarkDirty(*user);
  }
}

void ClusterIndex::MarkDirty(Cluster& cluster) {
  if (cluster.dirty) return;
  cluster.dirty = true;
  dirty_.push_back(&cluster);
}

void ClusterIndex::Attach(Cluster& cluster) {
  const ClusterSpec& spec = cluster.spec;
  if (!spec.secret().empty()) secrets_[std::string(spec.secret())].users.push_back(&cluster);
  if (const auto* endpoints = std::get_if<ClusterSpec::EndpointsName>(&spec.source)) {
    endpoints_[endpoints->name].users.push_back(&cluster);
    if (!spec.backup_endpoints().empty()) {
      endpoints_[std::string(spec.backup_endpoints())].users.push_back(&cluster);
    }
  } else if (const auto* dns = std::get_if<ClusterSpec::DnsName>(&spec.source)) {
    dns_[dns->name].users.push_back(&cluster);
    dns_touched_.push_back(dns->name);
  }
}

void ClusterIndex::ForgetEndpointsUser(std::string_view endpoints, Cluster& cluster) {
  const auto at = endpoints_.find(endpoints);
  EraseFirst(at->second.users, &cluster);
  if (at->second.users.empty() && !at->second.given) endpoints_.erase(at);
}

void ClusterIndex::Detach(Cluster& cluster) {
  const ClusterSpec& spec = cluster.spec;
  if (!spec.secret().empty()) {
    const auto at = secrets_.find(spec.secret());
    EraseFirst(at->second.users, &cluster);
    if (at->second.users.empty() && !at->second.given) secrets_.erase(at);
  }
  if (const auto* endpoints = std::get_if<ClusterSpec::EndpointsName>(&spec.source)) {
    ForgetEndpointsUser(endpoints->name, cluster);
    if (!spec.backup_endpoints().empty()) ForgetEndpointsUser(spec.backup_endpoints(), cluster);
  } else if (const auto* dns = std::get_if<ClusterSpec::DnsName>(&spec.source)) {
    EraseFirst(dns_.find(dns->name)->second.users, &cluster);
    dns_touched_.push_back(dns->name);
  }
}

std::shared_ptr<const tls::ClientPolicy> ClusterIndex::CompileTls(
    const ClusterSpec::Tls& spec) const {
  auto policy = std::make_shared<tls::ClientPolicy>(spec.policy);
  if (!spec.secret.empty()) {
    const SecretSource& source = secrets_.find(spec.secret)->second;
    if (!source.given) return nullptr;
    policy->trust = source.secret.trust;
    policy->certificate = source.secret.certificate;
  }
  if (policy->verify && policy->trust == nullptr) policy->trust = tls::TrustStore::System();
  return policy;
}

std::shared_ptr<const CompiledCluster> ClusterIndex::Compile(Cluster& cluster) const {
  const ClusterSpec& spec = cluster.spec;
  auto out = std::make_shared<CompiledCluster>();
  out->name = cluster.handle.name();
  out->log_name = spec.log_name;
  out->protocol = spec.protocol;
  out->proxy_protocol = spec.proxy_protocol;
  if (spec.tls != nullptr) {
    if (cluster.tls == nullptr) cluster.tls = CompileTls(*spec.tls);
    out->tls = cluster.tls;
    if (out->tls == nullptr) return out;  // without the secret nobody may be spoken to
  }
  out->health = spec.health;
  out->retry_budget_percent = spec.retry_budget_percent;
  out->warm_connections = spec.warm_connections;
  out->connections = spec.connections;
  AddEndpoints(spec, *out);
  if (spec.balancing != nullptr) AddBalancing(spec, *out);
  if (spec.limits != nullptr) AddLimits(*spec.limits, cluster.compiled.get(), *out);
  return out;
}

void ClusterIndex::AddLimits(const UpstreamLimits& limits, const CompiledCluster* before,
                             CompiledCluster& out) {
  auto made = std::make_shared<ClusterLimits>();
  made->limits = limits;
  absl::flat_hash_map<base::Address, std::shared_ptr<UsageCount>> known;
  if (before != nullptr && before->limits != nullptr) {
    made->usage = before->limits->usage;
    for (size_t i = 0; i < before->endpoints.size(); ++i) {
      known.emplace(before->endpoints[i].address, before->limits->requests[i]);
    }
  } else {
    made->usage = std::make_shared<ClusterUsage>();
  }
  made->requests.reserve(out.endpoints.size());
  for (const CompiledEndpoint& endpoint : out.endpoints) {
    std::shared_ptr<UsageCount>& count = known[endpoint.address];
    if (count == nullptr) count = std::make_shared<UsageCount>();
    made->requests.push_back(count);
  }
  out.limits = std::move(made);
}

// Made here once rather than by each worker: the ring of a thousand endpoints has 160,000 points.
void ClusterIndex::AddBalancing(const ClusterSpec& spec, CompiledCluster& out) {
  out.balancing = spec.balancing;
  std::vector<std::string> names;
  for (const CompiledEndpoint& endpoint : out.endpoints) {
    if (!endpoint.backup) names.push_back(endpoint.address.Text());
  }
  if (spec.balancing->affinity != Balancing::Affinity::kNone) {
    const bool named = spec.balancing->affinity == Balancing::Affinity::kPersistent;
    out.session_keys = std::make_shared<const SessionKeys>(
        spec.log_name,
        named ? std::span<const std::string>(names) : std::span<const std::string>());
  }
  if (!spec.balancing->needs_ring()) return;
  const balance::PolicySpec& policy = spec.balancing->policy;
  if (policy.policy == balance::Policy::kHashSubset) {
    names.resize(balance::RingPicker::NodesFor(policy, names.size()));
    for (size_t i = 0; i < names.size(); ++i) names[i] = StrCat("set", i + 1);
  }
  out.ring = std::make_shared<const balance::HashRing>(names);
}

void ClusterIndex::AddEndpoints(const ClusterSpec& spec, CompiledCluster& out) const {
  if (const auto* literal = std::get_if<base::Address>(&spec.source)) {
    out.endpoints.push_back({.address = *literal});
    return;
  }
  if (const auto* dns = std::get_if<ClusterSpec::DnsName>(&spec.source)) {
    const DnsSource& source = dns_.find(dns->name)->second;
    out.pending = !source.resolved;
    std::vector<base::Address> addresses = source.addresses;
    for (base::Address& address : addresses) address.set_port(dns->port);
    // Probes say of each address whether it can be used.
    const bool probed = spec.health != nullptr && spec.health->check;
    out.endpoints = probed ? EndpointsOf(addresses) : InterleaveFamilies(addresses);
    return;
  }
  out.endpoints =
      endpoints_.find(std::get<ClusterSpec::EndpointsName>(spec.source).name)->second.endpoints;
  if (spec.backup_endpoints().empty()) return;
  absl::flat_hash_set<base::Address> primaries;
  for (const CompiledEndpoint& endpoint : out.endpoints) primaries.insert(endpoint.address);
  for (CompiledEndpoint backup : endpoints_.find(spec.backup_endpoints())->second.endpoints) {
    if (primaries.contains(backup.address)) continue;
    backup.backup = true;
    out.endpoints.push_back(backup);
  }
}

ClusterIndex::Changes ClusterIndex::TakeChanges() {
  Changes changes;
  // Removals first: a slot that became free may have been given to a new cluster since.
  changes.clusters = std::exchange(removed_, {});
  for (Cluster* cluster : std::exchange(dirty_, {})) {
    cluster->dirty = false;
    cluster->compiled = Compile(*cluster);
    changes.clusters.push_back({cluster->handle.slot(), cluster->compiled});
  }
  for (std::string& name : std::exchange(dns_touched_, {})) {
    const auto at = dns_.find(name);
    if (at == dns_.end()) continue;  // touched twice, and gone
    const bool needed = !at->second.users.empty();
    if (needed && !at->second.announced) {
      at->second.announced = true;
      changes.dns_started.push_back(std::move(name));
    } else if (!needed) {
      if (at->second.announced) changes.dns_stopped.push_back(std::move(name));
      dns_.erase(at);
    }
  }
  return changes;
}

std::shared_ptr<const CompiledCluster> ClusterIndex::Find(std::string_view name) const {
  const auto at = clusters_.find(name);
  return at == clusters_.end() ? nullptr : at->second->compiled;
}

std::vector<std::shared_ptr<const CompiledCluster>> ClusterIndex::All() const {
  std::vector<std::shared_ptr<const CompiledCluster>> all;
  all.reserve(clusters_.size());
  for (const auto& [name, cluster] : clusters_) all.push_back(cluster->compiled);
  return all;
}

}  // namespace headgate::config
