#include "controller/translate/translator.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

#include "common/strings.h"
#include "controller/translate/config_map/registry.h"
#include "controller/translate/global.h"
#include "controller/translate/message_policy.h"
#include "controller/translate/references.h"
#include "controller/translate/ticket_keys.h"
#include "controller/translate/virtual_host.h"

namespace headgate::translate {
namespace {

using kube::ObjectKey;

template <typename List, typename T>
void EraseValue(List& list, const T& value) {
  auto at = std::find(list.begin(), list.end(), value);
  if (at != list.end()) list.erase(at);
}

// The Services that an Ingress refers to, each once.
std::vector<ObjectKey> ServicesOf(const IngressModel& model) {
  const kube::Ingress& ingress = *model.object;
  std::vector<ObjectKey> services;
  if (const auto backend = ErrorServiceOf(model)) services.push_back(backend->service);
  ForEachBackend(ingress, [&](const kube::IngressBackend& backend, const std::string&) {
    if (const auto ref = ToBackendRef(ingress, backend)) services.push_back(ref->service);
  });
  std::sort(services.begin(), services.end());
  services.erase(std::unique(services.begin(), services.end()), services.end());
  return services;
}

}  // namespace

Translator::Translator(Options options) : options_(std::move(options)) {}

TranslationUpdate Translator::Update(const state::ClusterState& state,
                                     const state::Changes& changes, absl::Time now) {
  state_ = &state;
  now_ = now;
  if (std::exchange(first_, false)) {
    MarkEverything();
  } else {
    Mark(changes);
  }
  RedoOptions();
  RedoIngresses();
  RedoCertificates();
  RedoClientCas();
  RedoUpstreamSecrets();
  RedoUserSecrets();
  RedoDefaultBackend();
  RedoTicketKeys();
  RedoSettings();
  RedoHostTls();
  RedoHosts();
  RedoReferences();
  RedoFiles();
  RedoStreams();
  RedoBackends();
  RedoValidity();
  ForgetUnused();
  state_ = nullptr;
  return log_.Take();
}

// --- marking ---

void Translator::MarkEverything() {
  for (ObjectKey& key : state_->IngressKeys()) dirty_ingresses_.insert(std::move(key));
  if (options_.default_certificate) {
    certificates_[*options_.default_certificate] = std::make_unique<CertificateUnit>();
    dirty_certificates_.insert(*options_.default_certificate);
  } else {
    log_.Set(std::string(kDefaultCertificateName), default_certificate_,
             TranslateDefaultCertificate(nullptr, options_));
  }
  dirty_options_ = true;
  dirty_default_backend_ = true;
  config_maps_changed_ = options_.tcp_services || options_.udp_services;
  for (const auto& [key, error] : state_->invalid()) dirty_validity_.push_back(key);
}

void Translator::Mark(const state::Changes& changes) {
  dirty_ingresses_ = changes.ingresses;
  dirty_options_ = options_.config_map && changes.config_maps.contains(*options_.config_map);
  RedoHeaderMaps(changes.config_maps);
  MarkStreams(changes);
  for (const ObjectKey& config_map : changes.config_maps) {
    if (files_.contains(config_map)) dirty_files_.insert(config_map);
  }
  for (const ObjectKey& secret : changes.secrets) {
    if (certificates_.contains(secret)) dirty_certificates_.insert(secret);
    if (client_cas_.contains(secret)) dirty_client_cas_.insert(secret);
    if (global_.dh_secret == secret) dirty_settings_ = true;
    if (upstream_secrets_.contains(secret)) dirty_upstream_secrets_.insert(secret);
    for (const bool map : {false, true}) {
      if (user_secrets_.contains({secret, map})) dirty_user_secrets_.insert({secret, map});
    }
  }
  for (const ObjectKey& service : changes.services) {
    if (options_.default_backend == service) dirty_default_backend_ = true;
    const auto users = services_.find(service);
    if (users == services_.end()) continue;
    dirty_references_.insert(service);
    for (const kube::PortRef& port : users->second.backends) {
      dirty_clusters_.insert({service, port});
    }
  }
  for (const ObjectKey& service : changes.endpoints) {
    if (options_.default_backend == service) dirty_default_backend_ = true;
    const auto users = services_.find(service);
    if (users == services_.end()) continue;
    for (const kube::PortRef& port : users->second.backends) {
      dirty_endpoints_.insert({service, port});
    }
  }
  dirty_validity_.assign(changes.validity.begin(), changes.validity.end());
  if (now_ >= certificate_recheck_) {
    certificate_recheck_ = absl::InfiniteFuture();
    for (const auto& [secret, unit] : certificates_) dirty_certificates_.insert(secret);
  }
}

void Translator::MarkHosts(const IngressModel& model) {
  for (const HostRules& host : model.hosts) MarkHost(host.host);
}

void Translator::MarkHost(const std::string& host) {
  MarkTls(host);
  dirty_hosts_.insert(host);
  const HostParties* parties = PartiesOf(host);
  if (parties == nullptr) return;
  for (std::string& name : OtherNamesOf(host, *parties)) dirty_hosts_.insert(std::move(name));
}

void Translator::MarkTls(const std::string& host) {
  dirty_tls_.insert(host);
  const HostParties* parties = PartiesOf(host);
  if (parties == nullptr) return;
  for (std::string& name : OtherNamesOf(host, *parties)) dirty_tls_.insert(std::move(name));
}

const HostParties* Translator::PartiesOf(std::string_view host) const {
  const auto it = hosts_.find(ToAbsl(host));
  return it == hosts_.end() ? nullptr : &it->second->parties;
}

// --- Ingresses ---

void Translator::RedoIngresses() {
  for (const ObjectKey& key : std::exchange(dirty_ingresses_, {})) RedoIngress(key);
}

void Translator::RedoIngress(const ObjectKey& key) {
  ++work_.ingresses;
  IngressUnit& unit = ingresses_[key];
  std::shared_ptr<const kube::Ingress> newest = state_->ShareIngress(key);
  const bool gone = newest == nullptr;
  ReadResult read;
  if (!gone)
    read = ReadIngressOrLastGood(std::move(newest), last_good_.FindIngress(key),
                                 {global_.annotations, options_.catch_all});
  // The new form first: what both forms refer to never seems unused.
  if (read.model != nullptr) {
    Link(read.model);
    MarkHosts(*read.model);
    last_good_.ingresses[key] = read.model->object;
  } else if (gone) {
    last_good_.ingresses.erase(key);
  }
  if (unit.model != nullptr) {
    MarkHosts(*unit.model);
    Unlink(*unit.model);
  }
  unit.model = std::move(read.model);
  log_.Set(unit.diagnostics, std::move(read.diagnostics));
  log_.Set(unit.reference_diagnostics,
           unit.model != nullptr ? CheckReferences(*unit.model) : std::vector<Diagnostic>());
  CheckSecretsOf(unit);
  CheckHeaderMapOf(unit);
  if (gone) ingresses_.erase(key);
}

void Translator::Link(const ModelPtr& model) {
  for (const HostRules& host : model->hosts) {
    std::unique_ptr<HostUnit>& unit = hosts_[host.host];
    if (unit == nullptr) unit = std::make_unique<HostUnit>();
    AddClaim(unit->parties, model, host);
  }
  for (const ObjectKey& service : ServicesOf(*model)) {
    services_[service].ingresses.push_back(model.get());
  }
  LinkFiles(*model);
  LinkHeaderMap(*model);
  LinkSecrets(*model);
}

void Translator::Unlink(const IngressModel& model) {
  for (const HostRules& host : model.hosts) RemoveClaim(hosts_.at(host.host)->parties, model);
  for (ObjectKey& service : ServicesOf(model)) {
    EraseValue(services_.at(service).ingresses, &model);
    maybe_unused_services_.insert(std::move(service));
  }
  UnlinkFiles(model);
  UnlinkHeaderMap(model);
  UnlinkSecrets(model);
}

std::vector<Diagnostic> Translator::CheckReferences(const IngressModel& model) const {
  return translate::CheckReferences(model, *state_, options_);
}

void Translator::RedoReferences() {
  absl::flat_hash_set<const IngressModel*> affected;
  for (const ObjectKey& service : std::exchange(dirty_references_, {})) {
    const auto users = services_.find(service);
    if (users == services_.end()) continue;
    affected.insert(users->second.ingresses.begin(), users->second.ingresses.end());
  }
  for (const IngressModel* model : affected) {
    log_.Set(ingresses_.at(model->key()).reference_diagnostics, CheckReferences(*model));
  }
}

// --- hosts ---

void Translator::RedoHostTls() {
  const auto certificate_of = [this](const ObjectKey& secret) -> const CertificateState& {
    return certificates_.at(secret)->state;
  };
  for (const std::string& host : std::exchange(dirty_tls_, {})) {
    const auto it = hosts_.find(host);
    if (it == hosts_.end()) continue;
    HostUnit& unit = *it->second;
    std::vector<Diagnostic> unused;
    const HostRole role = RoleOf(
        host, unit.parties, [this](std::string_view of) { return PartiesOf(of); }, unused);
    HostTlsResult result;
    if (role.rules != nullptr)
      result = ResolveTls(host, *role.rules, role.other_name.has_value(), certificate_of);
    log_.Set(unit.tls_diagnostics, std::move(result.diagnostics));
    if (result.tls == unit.own_tls) continue;
    unit.own_tls = std::move(result.tls);
    dirty_hosts_.insert(host);
    if (host.starts_with('*')) MarkHostsUnder(host);
  }
}

// Goes through all hosts: it happens when the TLS section of a wildcard host changes, not when its
// certificate is renewed.
void Translator::MarkHostsUnder(const std::string& wildcard) {
  for (const auto& [host, unit] : hosts_) {
    if (WildcardOf(host) == wildcard) dirty_hosts_.insert(host);
  }
}

void Translator::RedoHosts() {
  for (const std::string& host : std::exchange(dirty_hosts_, {})) {
    const auto it = hosts_.find(host);
    if (it == hosts_.end()) continue;
    if (it->second->parties.empty()) {
      DropHost(host, *it->second);
      hosts_.erase(it);
    } else {
      RedoHost(host, *it->second);
    }
  }
}

void Translator::RedoHost(const std::string& host, HostUnit& unit) {
  ++work_.hosts;
  HostTls tls = unit.own_tls;
  if (!tls.configured) {
    const auto parent = hosts_.find(WildcardOf(host));
    if (parent != hosts_.end()) tls = parent->second->own_tls;
  }
  std::vector<Diagnostic> names;
  const HostRole role = RoleOf(
      host, unit.parties, [this](std::string_view of) { return PartiesOf(of); }, names);
  log_.Set(unit.name_diagnostics, std::move(names));
  if (role.rules == nullptr) tls = {};
  OfferCertificate(unit, tls.secret);
  unit.tls = std::move(tls);
  std::optional<v1::ClientAuth> client_auth;
  if (role.rules != nullptr) {
    client_auth = ResolveClientAuth(
        *role.rules,
        [this](const ObjectKey& secret) -> const ClientCa& { return client_cas_.at(secret).ca; });
  }
  VirtualHostResult result = TranslateVirtualHost(
      {host, role, unit.tls, default_backend_, global_.ingress, client_auth, config_map_of_});
  log_.Set(VirtualHostName(host), unit.resource, std::move(result.resource));
  log_.Set(unit.diagnostics, std::move(result.diagnostics));
  LeadTo(unit, std::move(result.clusters));
  Ask(unit, std::move(result.dns_clusters));
}

void Translator::DropHost(const std::string& host, HostUnit& unit) {
  OfferCertificate(unit, std::nullopt);
  LeadTo(unit, {});
  Ask(unit, {});
  log_.Set(VirtualHostName(host), unit.resource, nullptr);
  log_.Set(unit.diagnostics, {});
  log_.Set(unit.tls_diagnostics, {});
  log_.Set(unit.name_diagnostics, {});
}

void Translator::LeadTo(HostUnit& unit, std::vector<ClusterRef> clusters) {
  if (unit.clusters == clusters) return;
  for (const ClusterRef& cluster : clusters) AcquireCluster(cluster);
  for (const ClusterRef& cluster : unit.clusters) ReleaseCluster(cluster);
  unit.clusters = std::move(clusters);
}

void Translator::Ask(HostUnit& unit, std::vector<DnsClusterRef> clusters) {
  if (unit.dns_clusters == clusters) return;
  for (const DnsClusterRef& ref : clusters) {
    DnsClusterUnit& cluster = dns_clusters_[ref];
    if (++cluster.users == 1)
      log_.Set(ClusterName(ref), cluster.resource, TranslateDnsCluster(ref, options_));
  }
  for (const DnsClusterRef& ref : unit.dns_clusters) {
    const auto it = dns_clusters_.find(ref);
    if (--it->second.users > 0) continue;
    log_.Set(ClusterName(ref), it->second.resource, nullptr);
    dns_clusters_.erase(it);
  }
  unit.dns_clusters = std::move(clusters);
}

// --- what is there once ---

void Translator::RedoOptions() {
  if (!std::exchange(dirty_options_, false)) return;
  const kube::ConfigMap* config_map =
      options_.config_map ? state_->FindConfigMap(*options_.config_map) : nullptr;
  std::vector<Diagnostic> diagnostics;
  GlobalSettings global = ReadConfigMap(config_map, options_, diagnostics);
  log_.Set(option_diagnostics_, std::move(diagnostics));
  config_maps_changed_ = config_maps_changed_ || global.headers != global_.headers;
  const bool defaults_changed = global.ingress != global_.ingress;
  if (defaults_changed) {
    for (const auto& [host, unit] : hosts_) dirty_hosts_.insert(host);
    for (const auto& [ref, unit] : user_secrets_) dirty_user_secrets_.insert(ref);
  }
  if (global.annotations != global_.annotations) {
    for (const auto& [key, unit] : ingresses_) dirty_ingresses_.insert(key);
  }
  if (global.upstream != global_.upstream) {
    for (const auto& [backend, unit] : backends_) dirty_clusters_.insert(backend);
  }
  global_ = std::move(global);
  dirty_settings_ = true;
  dirty_streams_ = true;
  if (!defaults_changed) return;
  for (auto& [key, unit] : ingresses_) CheckHeaderMapOf(unit);
}

void Translator::RedoTicketKeys() {
  const int64_t epoch = TicketEpoch(now_);
  if (!dirty_settings_ && epoch == ticket_epoch_) return;
  ticket_epoch_ = epoch;
  log_.Set(std::string(kTicketKeysName), ticket_keys_,
           TranslateTicketKeys(options_.ticket_root, global_.ticket_key, epoch));
}

void Translator::RedoSettings() {
  if (!std::exchange(dirty_settings_, false)) return;
  std::vector<Diagnostic> diagnostics = CheckConfigMapHeaders(global_.headers, *state_, options_);
  const ObjectKey& secret = global_.dh_secret;
  DhParameters dh_parameters = ChooseDhParameters(secret, LookUpSecret(*state_, secret),
                                                  last_good_.FindDhParameters(secret), options_);
  std::move(dh_parameters.diagnostics.begin(), dh_parameters.diagnostics.end(),
            std::back_inserter(diagnostics));
  log_.Set(std::string(kSettingsName), settings_,
           TranslateSettings(default_backend_, global_, dh_parameters, config_map_of_, options_,
                             diagnostics));
  log_.Set(settings_diagnostics_, std::move(diagnostics));
  last_good_.dh_parameters = std::move(dh_parameters.secret);
}

void Translator::RedoDefaultBackend() {
  if (!std::exchange(dirty_default_backend_, false)) return;
  const std::optional<BackendRef> backend = DefaultBackendRef(*state_, options_);
  BackendProblem problem = BackendProblem::kNoService;
  std::optional<BackendRef> usable;
  if (backend) {
    const kube::Service* service = state_->FindService(backend->service);
    const ClusterResult cluster =
        TranslateCluster({*backend, {}}, service, global_.upstream, options_);
    problem = cluster.problem;
    const bool empty =
        cluster.has_endpoints &&
        TranslateEndpoints(*backend, *service, state_->SlicesOf(backend->service), options_).empty;
    if (problem == BackendProblem::kNone && !empty) usable = backend;
  }
  log_.Set(default_backend_diagnostics_, CheckDefaultBackend(backend, problem, options_));
  if (usable == default_backend_) return;
  if (usable) AcquireCluster({*usable, {}});
  if (default_backend_) ReleaseCluster({*default_backend_, {}});
  default_backend_ = usable;
  dirty_settings_ = true;
  for (const auto& [host, unit] : hosts_) dirty_hosts_.insert(host);
}

// --- backends ---

Translator::BackendUnit& Translator::UnitOf(const BackendRef& backend) {
  std::unique_ptr<BackendUnit>& unit = backends_[backend];
  if (unit == nullptr) {
    unit = std::make_unique<BackendUnit>();
    services_[backend.service].backends.push_back(backend.port);
  }
  return *unit;
}

void Translator::AcquireCluster(const ClusterRef& cluster) {
  ClusterUnit& unit = UnitOf(cluster.backend).clusters[cluster.policy];
  if (++unit.users == 1) dirty_clusters_.insert(cluster.backend);
}

void Translator::UseBackup(ClusterUnit& unit, std::optional<BackendRef> backup) {
  if (unit.backup == backup) return;
  if (backup && ++UnitOf(*backup).backup_users == 1) dirty_clusters_.insert(*backup);
  if (unit.backup && --UnitOf(*unit.backup).backup_users == 0) dirty_clusters_.insert(*unit.backup);
  unit.backup = std::move(backup);
}

void Translator::ReleaseCluster(const ClusterRef& cluster) {
  ClusterUnit& unit = backends_.at(cluster.backend)->clusters.at(cluster.policy);
  if (--unit.users == 0) dirty_clusters_.insert(cluster.backend);
}

void Translator::RedoBackends() {
  // Clusters may come to need backups, or need them no more.
  while (!dirty_clusters_.empty()) {
    for (const BackendRef& backend : std::exchange(dirty_clusters_, {})) {
      dirty_endpoints_.erase(backend);
      const auto it = backends_.find(backend);
      if (it == backends_.end()) continue;
      BackendUnit& unit = *it->second;
      RedoClusters(backend, unit);
      if (unit.clusters.empty() && unit.backup_users == 0) {
        DropBackend(backend, unit);
        backends_.erase(backend);
      }
    }
  }
  for (const BackendRef& backend : std::exchange(dirty_endpoints_, {})) {
    const auto it = backends_.find(backend);
    if (it != backends_.end() && it->second->has_endpoints) RedoEndpoints(backend, *it->second);
  }
}

void Translator::RedoClusters(const BackendRef& backend, BackendUnit& unit) {
  const kube::Service* service = state_->FindService(backend.service);
  bool has_endpoints = false;  // the same for all that are in use
  for (auto it = unit.clusters.begin(); it != unit.clusters.end();) {
    const ClusterRef ref{backend, it->first};
    ClusterUnit& cluster = it->second;
    ClusterResult result;
    if (cluster.users > 0) {
      ++work_.clusters;
      result = TranslateCluster(ref, service, global_.upstream, options_);
    }
    log_.Set(ClusterName(ref), cluster.resource, std::move(result.resource));
    log_.Set(cluster.diagnostics, std::move(result.diagnostics));
    has_endpoints = has_endpoints || result.has_endpoints;
    UseBackup(cluster, std::move(result.backup));
    it = cluster.users > 0 ? std::next(it) : unit.clusters.erase(it);
  }
  BackupResult as_backup;
  if (unit.backup_users > 0) as_backup = CheckBackup(backend, service, options_);
  log_.Set(unit.backup_diagnostics, std::move(as_backup.diagnostics));
  has_endpoints = has_endpoints || as_backup.usable;
  unit.has_endpoints = has_endpoints;
  if (has_endpoints) {
    RedoEndpoints(backend, unit);
  } else {
    log_.Set(EndpointsName(backend), unit.endpoints, nullptr);
    log_.Set(unit.endpoints_diagnostics, {});
  }
}

void Translator::RedoEndpoints(const BackendRef& backend, BackendUnit& unit) {
  ++work_.endpoints;
  EndpointsResult result = TranslateEndpoints(backend, *state_->FindService(backend.service),
                                              state_->SlicesOf(backend.service), options_);
  log_.Set(EndpointsName(backend), unit.endpoints, std::move(result.resource));
  log_.Set(unit.endpoints_diagnostics, std::move(result.diagnostics));
}

void Translator::DropBackend(const BackendRef& backend, BackendUnit& unit) {
  log_.Set(EndpointsName(backend), unit.endpoints, nullptr);
  log_.Set(unit.endpoints_diagnostics, {});
  EraseValue(services_.at(backend.service).backends, backend.port);
  maybe_unused_services_.insert(backend.service);
}

// --- the rest ---

void Translator::RedoValidity() {
  for (const auto& key : std::exchange(dirty_validity_, {})) {
    std::vector<Diagnostic> diagnostics;
    const auto error = state_->invalid().find(key);
    if (error != state_->invalid().end()) {
      diagnostics.push_back(DescribeInvalid(key.first, key.second, error->second));
    }
    const bool valid = diagnostics.empty();
    log_.Set(invalid_[key], std::move(diagnostics));
    if (valid) invalid_.erase(key);
  }
}

// Last, when every reference is as it should be.
void Translator::ForgetUnused() {
  for (const ObjectKey& secret : std::exchange(maybe_unused_certificates_, {})) {
    const auto it = certificates_.find(secret);
    if (it == certificates_.end() || !it->second->ingresses.empty()) continue;
    if (options_.default_certificate == secret) continue;
    log_.Set(it->second->diagnostics, {});
    certificates_.erase(it);
    last_good_.secrets.erase(secret);
  }
  for (const ObjectKey& service : std::exchange(maybe_unused_services_, {})) {
    const auto it = services_.find(service);
    if (it != services_.end() && it->second.ingresses.empty() && it->second.backends.empty()) {
      services_.erase(it);
    }
  }
}

}  // namespace headgate::translate
