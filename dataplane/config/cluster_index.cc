#include "dataplane/config/cluster_index.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "dataplane/balance/ring_picker.h"
#include "dataplane/config/compile_health.h"

namespace headgate::config {
namespace {

template <typename Values, typename T>
void EraseFirst(Values& values, T* value) {
  const auto at = std::find(values.begin(), values.end(), value);
  if (at != values.end()) values.erase(at);
}

// The object of that name in a NamedSet.
template <typename Set>
auto& Ensure(Set& objects, std::string_view name) {
  auto at = objects.find(name);
  if (at == objects.end()) at = objects.insert(Set::value_type::element_type::Make(name)).first;
  return **at;
}

void NameHealthGroup(std::string_view cluster, ClusterSpec& spec) {
  if (!spec.health->check) return;
  auto named = std::make_shared<UpstreamHealth>(*spec.health);
  UpstreamHealth& health = *named;
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
  spec.health = std::move(named);
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

ClusterIndex::Cluster* ClusterIndex::FindCluster(std::string_view name) const {
  const std::optional<ClusterSlot> slot = registry_.Find(name);
  return slot && *slot < clusters_.size() ? clusters_[*slot].get() : nullptr;
}

void ClusterIndex::SetCluster(std::string_view name, ClusterSpec spec) {
  if (spec.health != nullptr) NameHealthGroup(name, spec);
  ClusterHandle handle = registry_.Acquire(name);
  if (handle.slot() >= clusters_.size()) clusters_.resize(registry_.slot_count());
  std::unique_ptr<Cluster>& place = clusters_[handle.slot()];
  if (place == nullptr) {
    place = std::make_unique<Cluster>();
    place->handle = std::move(handle);
    spec.id = ++last_id_;
    ++cluster_count_;
  } else {
    Detach(*place);
    spec.id = place->latest().id;
  }
  Cluster& cluster = *place;
  Attach(cluster, spec);
  cluster.tls =
      spec.tls == nullptr ? nullptr : std::make_unique<Tls>(Tls{std::move(spec.tls), nullptr});
  cluster.next = std::make_shared<CompiledCluster>();
  if (spec.limits != nullptr) {
    auto limits = std::make_shared<ClusterLimits>();
    limits->limits = *spec.limits;
    cluster.next->limits = std::move(limits);
  }
  static_cast<ClusterTraits&>(*cluster.next) = std::move(spec);
  MarkDirty(cluster);
}

void ClusterIndex::RemoveCluster(std::string_view name) {
  Cluster* const cluster = FindCluster(name);
  if (cluster == nullptr) return;
  Detach(*cluster);
  if (cluster->dirty) EraseFirst(dirty_, cluster);
  const ClusterSlot slot = cluster->handle.slot();
  removed_.push_back({slot, nullptr});
  clusters_[slot].reset();
  --cluster_count_;
}

void ClusterIndex::SetEndpoints(std::string_view name, std::vector<CompiledEndpoint> endpoints) {
  EndpointsSource& source = Ensure(endpoints_, name);
  endpoints_count_ += source.given ? 0 : 1;
  source.given = true;
  source.endpoints = EndpointList(std::move(endpoints));
  for (Cluster* user : source.users) MarkDirty(*user);
}

void ClusterIndex::RemoveEndpoints(std::string_view name) {
  const auto at = endpoints_.find(name);
  if (at == endpoints_.end() || !(*at)->given) return;
  --endpoints_count_;
  for (Cluster* user : (*at)->users) MarkDirty(*user);
  if ((*at)->users.empty()) {
    endpoints_.erase(at);
  } else {
    (*at)->given = false;
    (*at)->endpoints = {};
  }
}

void ClusterIndex::SetDnsAddresses(std::string_view dns_name,
                                   std::span<const base::Address> addresses) {
  const auto at = dns_.find(dns_name);
  if (at == dns_.end()) return;
  DnsSource& source = **at;
  source.addresses.assign(addresses.begin(), addresses.end());
  source.resolved = true;
  for (Cluster* user : source.users) MarkDirty(*user);
}

void ClusterIndex::SetSecret(std::string_view name, TlsSecret secret) {
  SecretSource& source = Ensure(secrets_, name);
  secret_count_ += source.given ? 0 : 1;
  source.given = true;
  source.secret = std::move(secret);
  TlsChanged(source);
}

void ClusterIndex::RemoveSecret(std::string_view name) {
  const auto at = secrets_.find(name);
  if (at == secrets_.end() || !(*at)->given) return;
  --secret_count_;
  TlsChanged(**at);
  if ((*at)->users.empty()) {
    secrets_.erase(at);
  } else {
    (*at)->given = false;
    (*at)->secret = {};
  }
}

void ClusterIndex::TlsChanged(SecretSource& source) {
  for (Cluster* user : source.users) {
    user->tls->policy = nullptr;
    MarkDirty(*user);
  }
}

void ClusterIndex::MarkDirty(Cluster& cluster) {
  if (cluster.dirty) return;
  cluster.dirty = true;
  dirty_.push_back(&cluster);
}

void ClusterIndex::Attach(Cluster& cluster, const ClusterSpec& spec) {
  if (spec.tls != nullptr && !spec.tls->secret.empty())
    Ensure(secrets_, spec.tls->secret).users.push_back(&cluster);
  if (const auto* endpoints = std::get_if<ClusterSpec::EndpointsName>(&spec.source)) {
    EndpointsSource& source = Ensure(endpoints_, endpoints->name);
    source.users.push_back(&cluster);
    cluster.source = &source;
    if (!spec.backup_endpoints().empty())
      Ensure(endpoints_, spec.backup_endpoints()).users.push_back(&cluster);
  } else if (const auto* dns = std::get_if<ClusterSpec::DnsName>(&spec.source)) {
    DnsSource& source = Ensure(dns_, dns->name);
    source.users.push_back(&cluster);
    cluster.source = DnsUse{&source, dns->port};
    dns_touched_.push_back(dns->name);
  } else {
    cluster.source = std::get<base::Address>(spec.source);
  }
}

void ClusterIndex::ForgetUser(EndpointsSource& source, Cluster& cluster) {
  EraseFirst(source.users, &cluster);
  if (source.users.empty() && !source.given) endpoints_.erase(endpoints_.find(source.name()));
}

void ClusterIndex::Detach(Cluster& cluster) {
  if (cluster.tls != nullptr && !cluster.tls->spec->secret.empty()) {
    const auto at = secrets_.find(cluster.tls->spec->secret);
    EraseFirst((*at)->users, &cluster);
    if ((*at)->users.empty() && !(*at)->given) secrets_.erase(at);
  }
  if (auto* const* endpoints = std::get_if<EndpointsSource*>(&cluster.source)) {
    ForgetUser(**endpoints, cluster);
    const std::string_view backups = cluster.latest().backup_endpoints();
    if (!backups.empty()) ForgetUser(**endpoints_.find(backups), cluster);
  } else if (const auto* dns = std::get_if<DnsUse>(&cluster.source)) {
    EraseFirst(dns->source->users, &cluster);
    dns_touched_.emplace_back(dns->source->name());
  }
}

std::shared_ptr<const tls::ClientPolicy> ClusterIndex::CompileTls(
    const ClusterSpec::Tls& spec) const {
  auto policy = std::make_shared<tls::ClientPolicy>(spec.policy);
  if (!spec.secret.empty()) {
    const SecretSource& source = **secrets_.find(spec.secret);
    if (!source.given) return nullptr;
    policy->trust = source.secret.trust;
    policy->certificate = source.secret.certificate;
  }
  if (policy->verify && policy->trust == nullptr) policy->trust = tls::TrustStore::System();
  return policy;
}

std::shared_ptr<const CompiledCluster> ClusterIndex::Compile(Cluster& cluster) const {
  const std::shared_ptr<const ClusterLimits> limits = cluster.latest().limits;
  std::shared_ptr<CompiledCluster> out = std::exchange(cluster.next, nullptr);
  if (out == nullptr) {
    out = std::make_shared<CompiledCluster>();
    static_cast<ClusterTraits&>(*out) = *cluster.compiled;
  }
  if (cluster.tls != nullptr) {
    if (cluster.tls->policy == nullptr) cluster.tls->policy = CompileTls(*cluster.tls->spec);
    out->tls = cluster.tls->policy;
  }
  // Without the secret nobody may be spoken to.
  if (cluster.tls == nullptr || out->tls != nullptr) AddEndpoints(cluster, *out);
  if (out->balancing != nullptr) AddBalancing(*out);
  if (limits != nullptr) AddLimits(limits->limits, cluster.compiled.get(), *out);
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
void ClusterIndex::AddBalancing(CompiledCluster& out) {
  const Balancing& balancing = *out.balancing;
  std::vector<std::string> names;
  for (const CompiledEndpoint& endpoint : out.endpoints) {
    if (!endpoint.backup) names.push_back(endpoint.address.Text());
  }
  if (balancing.affinity != Balancing::Affinity::kNone) {
    const bool named = balancing.affinity == Balancing::Affinity::kPersistent;
    out.session_keys = std::make_shared<const SessionKeys>(
        out.log_name, named ? std::span<const std::string>(names) : std::span<const std::string>());
  }
  if (!balancing.needs_ring()) return;
  const balance::PolicySpec& policy = balancing.policy;
  if (policy.policy == balance::Policy::kHashSubset) {
    names.resize(balance::RingPicker::NodesFor(policy, names.size()));
    for (size_t i = 0; i < names.size(); ++i) names[i] = StrCat("set", i + 1);
  }
  out.ring = std::make_shared<const balance::HashRing>(names);
}

void ClusterIndex::AddEndpoints(const Cluster& cluster, CompiledCluster& out) const {
  if (const auto* literal = std::get_if<base::Address>(&cluster.source)) {
    out.endpoints = EndpointList(EndpointsOf({literal, 1}));
    return;
  }
  if (const auto* dns = std::get_if<DnsUse>(&cluster.source)) {
    out.pending = !dns->source->resolved;
    std::vector<base::Address> addresses = dns->source->addresses;
    for (base::Address& address : addresses) address.set_port(dns->port);
    // Probes say of each address whether it can be used.
    const bool probed = out.health != nullptr && out.health->check;
    out.endpoints = EndpointList(probed ? EndpointsOf(addresses) : InterleaveFamilies(addresses));
    return;
  }
  out.endpoints = std::get<EndpointsSource*>(cluster.source)->endpoints;
  if (out.backup_endpoints().empty()) return;
  std::vector<CompiledEndpoint> all(out.endpoints.begin(), out.endpoints.end());
  absl::flat_hash_set<base::Address> primaries;
  for (const CompiledEndpoint& endpoint : all) primaries.insert(endpoint.address);
  for (CompiledEndpoint backup : (*endpoints_.find(out.backup_endpoints()))->endpoints) {
    if (primaries.contains(backup.address)) continue;
    backup.backup = true;
    all.push_back(backup);
  }
  out.endpoints = EndpointList(std::move(all));
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
    DnsSource& source = **at;
    const bool needed = !source.users.empty();
    if (needed && !source.announced) {
      source.announced = true;
      changes.dns_started.push_back(std::move(name));
    } else if (!needed) {
      if (source.announced) changes.dns_stopped.push_back(std::move(name));
      dns_.erase(at);
    }
  }
  return changes;
}

std::shared_ptr<const CompiledCluster> ClusterIndex::Find(std::string_view name) const {
  const Cluster* const cluster = FindCluster(name);
  return cluster == nullptr ? nullptr : cluster->compiled;
}

std::vector<NamedCluster> ClusterIndex::All() const {
  std::vector<NamedCluster> all;
  all.reserve(cluster_count_);
  for (const auto& cluster : clusters_) {
    if (cluster != nullptr) all.push_back({cluster->handle.name(), cluster->compiled});
  }
  return all;
}

}  // namespace headgate::config
