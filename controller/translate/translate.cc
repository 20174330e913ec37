#include "controller/translate/translate.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "controller/translate/backends.h"
#include "controller/translate/certificates.h"
#include "controller/translate/client_ca.h"
#include "controller/translate/config_map/registry.h"
#include "controller/translate/files.h"
#include "controller/translate/global.h"
#include "controller/translate/host_table.h"
#include "controller/translate/host_tls.h"
#include "controller/translate/model.h"
#include "controller/translate/one_line.h"
#include "controller/translate/references.h"
#include "controller/translate/stream_services.h"
#include "controller/translate/ticket_keys.h"
#include "controller/translate/upstream_secret.h"
#include "controller/translate/user_secret.h"
#include "controller/translate/virtual_host.h"

namespace headgate::translate {
namespace {

using kube::ObjectKey;

// One run, step by step, in the order of Run(). Deliberately without any of the Translator's
// bookkeeping.
class FullTranslation {
 public:
  FullTranslation(const state::ClusterState& state, const LastGood& last_good,
                  const Options& options, absl::Time now)
      : state_(state), last_good_(last_good), options_(options), now_(now) {}

  Translation Run() {
    ReadOptions();
    ReadIngresses();
    ReadCertificates();
    ResolveDefaultBackend();
    ReadClientCas();
    AddUpstreamSecrets();
    AddUserSecrets();
    ResolveHostTls();
    for (const auto& [host, parties] : hosts_) AddVirtualHost(host, parties);
    AddStreams();
    AddBackends();
    AddFiles();
    AddCertificates();
    AddSettings();
    if (auto keys =
            TranslateTicketKeys(options_.ticket_root, global_.ticket_key, TicketEpoch(now_))) {
      Add(std::move(keys));
    }
    for (const auto& [key, error] : state_.invalid()) {
      Say({DescribeInvalid(key.first, key.second, error)});
    }
    return Finished();
  }

 private:
  void ReadOptions() {
    const kube::ConfigMap* config_map =
        options_.config_map ? state_.FindConfigMap(*options_.config_map) : nullptr;
    global_ = ReadConfigMap(config_map, options_, result_.diagnostics);
  }

  void ReadIngresses() {
    for (const ObjectKey& key : state_.IngressKeys()) {
      ReadResult read = ReadIngressOrLastGood(state_.ShareIngress(key), last_good_.FindIngress(key),
                                              {global_.annotations, options_.catch_all});
      Say(std::move(read.diagnostics));
      if (read.model == nullptr) continue;
      for (const HostRules& host : read.model->hosts) {
        AddClaim(hosts_[host.host], read.model, host);
      }
      models_.push_back(std::move(read.model));
    }
  }

  void ReadCertificates() {
    for (const auto& model : models_) {
      for (const ObjectKey& secret : SecretsOf(*model->object)) ReadCertificate(secret);
    }
    if (options_.default_certificate) ReadCertificate(*options_.default_certificate);
  }

  void ReadCertificate(const ObjectKey& secret) {
    const auto [it, added] = certificates_.try_emplace(secret);
    if (!added) return;
    it->second =
        ChooseCertificate(LookUpSecret(state_, secret), last_good_.FindSecret(secret), now_);
    Say(it->second.diagnostics);
  }

  void ReadClientCas() {
    for (const auto& model : models_) {
      const std::optional<ObjectKey> secret = ClientCaOf(*model);
      if (!secret || client_cas_.contains(*secret)) continue;
      ClientCa ca = ReadClientCa(*secret, LookUpSecret(state_, *secret));
      if (ca.usable()) Add(ca.resource);
      client_cas_.emplace(*secret, std::move(ca));
    }
    for (const auto& model : models_) Say(CheckClientCa(*model, ca_of_));
  }

  void AddUpstreamSecrets() {
    std::map<ObjectKey, UpstreamSecret> secrets;
    for (const auto& model : models_) {
      const std::optional<ObjectKey> secret = UpstreamSecretOf(*model);
      if (!secret) continue;
      const auto [it, added] = secrets.try_emplace(*secret);
      if (added) {
        it->second = ChooseUpstreamSecret(*secret, LookUpSecret(state_, *secret),
                                          last_good_.FindUpstreamSecret(*secret));
        if (it->second.resource != nullptr) Add(it->second.resource);
      }
      Say(DescribeUpstreamSecret(*model, it->second));
    }
  }

  void AddUserSecrets() {
    std::map<UserSecretRef, UserSecret> secrets;
    std::set<UserSecretRef> added;
    for (const auto& model : models_) {
      const std::optional<UserSecretRef> ref = UserSecretOf(*model);
      if (!ref) continue;
      const auto [it, first] = secrets.try_emplace(*ref);
      if (first) it->second = ReadUserSecret(*ref, LookUpSecret(state_, ref->secret));
      Say(DescribeUserSecret(*model, global_.ingress, it->second));
      if (RefersToForbiddenSecret(*model, global_.ingress) || it->second.resource == nullptr)
        continue;
      if (added.insert(*ref).second) Add(it->second.resource);
    }
  }

  // The default backend counts only while it can answer.
  void ResolveDefaultBackend() {
    const std::optional<BackendRef> backend = DefaultBackendRef(state_, options_);
    BackendProblem problem = BackendProblem::kNoService;
    if (backend) {
      const kube::Service* service = state_.FindService(backend->service);
      const ClusterResult cluster =
          TranslateCluster({*backend, {}}, service, global_.upstream, options_);
      problem = cluster.problem;
      const bool empty =
          cluster.has_endpoints &&
          TranslateEndpoints(*backend, *service, state_.SlicesOf(backend->service), options_).empty;
      if (problem == BackendProblem::kNone && !empty) {
        default_backend_ = backend;
        clusters_.insert({*backend, {}});
      }
    }
    Say(CheckDefaultBackend(backend, problem, options_));
  }

  void ResolveHostTls() {
    const auto certificate_of = [this](const ObjectKey& secret) -> const CertificateState& {
      return certificates_.at(secret);
    };
    for (const auto& [host, parties] : hosts_) {
      std::vector<Diagnostic> unused;
      const HostRole role = RoleOf(host, parties, parties_of_, unused);
      HostTlsResult result;
      if (role.rules != nullptr)
        result = ResolveTls(host, *role.rules, role.other_name.has_value(), certificate_of);
      Say(std::move(result.diagnostics));
      tls_.emplace(host, std::move(result.tls));
    }
  }

  void AddVirtualHost(const std::string& host, const HostParties& parties) {
    std::vector<Diagnostic> names;
    const HostRole role = RoleOf(host, parties, parties_of_, names);
    Say(std::move(names));
    const HostTls* tls = &tls_.at(host);
    if (!tls->configured) {
      const auto parent = tls_.find(WildcardOf(host));
      if (parent != tls_.end()) tls = &parent->second;
    }
    std::optional<v1::ClientAuth> client_auth;
    if (role.rules != nullptr) {
      if (tls->secret) used_certificates_.insert(*tls->secret);
      client_auth = ResolveClientAuth(*role.rules, ca_of_);
    }
    VirtualHostResult result = TranslateVirtualHost(
        {host, role, *tls, default_backend_, global_.ingress, client_auth, config_map_of_});
    Say(std::move(result.diagnostics));
    clusters_.insert(result.clusters.begin(), result.clusters.end());
    dns_clusters_.insert(result.dns_clusters.begin(), result.dns_clusters.end());
    if (result.resource != nullptr) Add(std::move(result.resource));
  }

  void AddStreams() {
    const auto config_map = [this](const std::optional<ObjectKey>& key) {
      if (!key) return StreamConfigMap();
      return StreamConfigMap{state_.FindConfigMap(*key), state_.KnowsMissingConfigMap(*key)};
    };
    StreamServices streams = TranslateStreamServices(
        config_map(options_.tcp_services), config_map(options_.udp_services),
        [this](const ObjectKey& service) { return state_.FindService(service); }, global_,
        options_);
    for (ResourcePtr& resource : streams.resources) Add(std::move(resource));
    clusters_.insert(streams.clusters.begin(), streams.clusters.end());
    Say(std::move(streams.diagnostics));
  }

  void AddBackends() {
    for (const DnsClusterRef& ref : dns_clusters_) {
      if (ResourcePtr cluster = TranslateDnsCluster(ref, options_)) Add(std::move(cluster));
    }
    std::set<BackendRef> with_endpoints;
    std::set<BackendRef> backups;
    for (const ClusterRef& ref : clusters_) {
      ClusterResult cluster = TranslateCluster(ref, state_.FindService(ref.backend.service),
                                               global_.upstream, options_);
      Say(std::move(cluster.diagnostics));
      if (cluster.resource != nullptr) Add(std::move(cluster.resource));
      if (cluster.has_endpoints) with_endpoints.insert(ref.backend);
      if (cluster.backup) backups.insert(*cluster.backup);
    }
    for (const BackendRef& backup : backups) {
      BackupResult result = CheckBackup(backup, state_.FindService(backup.service), options_);
      Say(std::move(result.diagnostics));
      if (result.usable) with_endpoints.insert(backup);
    }
    for (const BackendRef& backend : with_endpoints) AddEndpoints(backend);
  }

  void AddEndpoints(const BackendRef& backend) {
    const kube::Service* service = state_.FindService(backend.service);
    EndpointsResult endpoints =
        TranslateEndpoints(backend, *service, state_.SlicesOf(backend.service), options_);
    Say(std::move(endpoints.diagnostics));
    Add(std::move(endpoints.resource));
  }

  void AddFiles() {
    std::set<ObjectKey> config_maps;
    for (const auto& model : models_) {
      for (ObjectKey& key : ConfigMapsOf(*model->object)) config_maps.insert(std::move(key));
    }
    for (const ObjectKey& key : config_maps) {
      if (ResourcePtr files = TranslateFiles(state_.FindConfigMap(key))) Add(std::move(files));
    }
  }

  void AddCertificates() {
    for (const ObjectKey& secret : used_certificates_) {
      Add(TranslateCertificate(certificates_.at(secret)));
    }
    const CertificateState* chosen =
        options_.default_certificate ? &certificates_.at(*options_.default_certificate) : nullptr;
    Add(TranslateDefaultCertificate(chosen, options_));
  }

  void AddSettings() {
    Say(CheckConfigMapHeaders(global_.headers, state_, options_));
    const ObjectKey& secret = global_.dh_secret;
    const DhParameters dh_parameters = ChooseDhParameters(
        secret, LookUpSecret(state_, secret), last_good_.FindDhParameters(secret), options_);
    Say(dh_parameters.diagnostics);
    Add(TranslateSettings(default_backend_, global_, dh_parameters, config_map_of_, options_,
                          result_.diagnostics));
  }

  void CheckReferences() {
    for (const auto& model : models_) {
      Say(translate::CheckReferences(*model, state_, options_));
      Say(CheckHeaders(*model, global_.ingress, config_map_of_,
                       [this](const kube::ObjectKey& key) { return state_.KnowsConfigMap(key); }));
    }
  }

  Translation Finished() {
    CheckReferences();
    std::sort(result_.resources.begin(), result_.resources.end(),
              [](const auto& a, const auto& b) { return a->name() < b->name(); });
    auto& diagnostics = result_.diagnostics;
    MakeOneLine(diagnostics);
    std::sort(diagnostics.begin(), diagnostics.end());
    diagnostics.erase(std::unique(diagnostics.begin(), diagnostics.end()), diagnostics.end());
    return std::move(result_);
  }

  void Add(ResourcePtr resource) { result_.resources.push_back(std::move(resource)); }
  void Say(std::vector<Diagnostic> diagnostics) {
    std::move(diagnostics.begin(), diagnostics.end(), std::back_inserter(result_.diagnostics));
  }

  const state::ClusterState& state_;
  const LastGood& last_good_;
  const Options& options_;
  const absl::Time now_;

  GlobalSettings global_;
  std::vector<std::shared_ptr<const IngressModel>> models_;
  std::map<std::string, HostParties, std::less<>> hosts_;
  const PartiesLookup parties_of_ = [this](std::string_view host) {
    const auto it = hosts_.find(host);
    return it == hosts_.end() ? nullptr : &it->second;
  };
  std::map<ObjectKey, CertificateState> certificates_;
  std::map<ObjectKey, ClientCa> client_cas_;
  const ClientCaLookup ca_of_ = [this](const ObjectKey& secret) -> const ClientCa& {
    return client_cas_.at(secret);
  };
  const ConfigMapLookup config_map_of_ = [this](const ObjectKey& key) {
    return state_.FindConfigMap(key);
  };
  std::map<std::string, HostTls> tls_;
  std::optional<BackendRef> default_backend_;
  std::set<ClusterRef> clusters_;
  std::set<DnsClusterRef> dns_clusters_;
  std::set<ObjectKey> used_certificates_;
  Translation result_;
};

}  // namespace

Translation Translate(const state::ClusterState& state, const LastGood& last_good,
                      const Options& options, absl::Time now) {
  return FullTranslation(state, last_good, options, now).Run();
}

}  // namespace headgate::translate
