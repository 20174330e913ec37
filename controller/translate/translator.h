// Incremental translation: the same result as Translate(), at the cost of what a change touches.
//
// Results are memoised in units, and each unit knows what it depends on:
//
//   Ingress    its newest form, its last good form
//   Secret     its newest form, its last good form, the time      (while some Ingress refers to it)
//   client CA  a Secret                                           (while some Ingress refers to it)
//   upstream secret  a Secret, its last good form                 (while some Ingress refers to it)
//   user secret  a Secret, the ConfigMap                          (while some Ingress refers to it)
//   host TLS   the Ingresses of the host, the Secrets they name
//   host       its Ingresses, its TLS or that of the wildcard host above it, the client CAs, the
//              default backend
//   options    the ConfigMap                                      (hosts depend on them too)
//   files      its ConfigMap                                      (while some Ingress refers to it)
//   headers    their ConfigMap                                    (while an Ingress or an option
//   names it) TCP services  their ConfigMaps, the options, the Services they name backend    its
//   Service, the options; its endpoints in addition the slices
//              (while some host leads to it, or it is the backup of one that does)
//
// A change marks units dirty; they are redone in that order, and a unit that comes out as before
// dirties nothing more. An EndpointSlice touches the endpoints of its Service and nothing else,
// however many Ingresses there are.
//
// Thread: the owner's. Not pure, in that it remembers; but everything it computes, it computes by
// the pure functions that Translate() uses, and a property test holds the two against each other.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "absl/time/time.h"
#include "controller/state/changes.h"
#include "controller/state/cluster_state.h"
#include "controller/translate/backends.h"
#include "controller/translate/certificates.h"
#include "controller/translate/client_ca.h"
#include "controller/translate/config_map/settings.h"
#include "controller/translate/dns_cluster.h"
#include "controller/translate/header_config_maps.h"
#include "controller/translate/host_table.h"
#include "controller/translate/host_tls.h"
#include "controller/translate/last_good.h"
#include "controller/translate/model.h"
#include "controller/translate/options.h"
#include "controller/translate/translation.h"
#include "controller/translate/update_log.h"
#include "controller/translate/user_secret.h"

namespace headgate::translate {

class Translator {
 public:
  explicit Translator(Options options);
  Translator(const Translator&) = delete;
  Translator& operator=(const Translator&) = delete;

  // Brings the translation up to date. The first call translates everything, whatever `changes`
  // says; later ones what `changes` (of the same state, since the call before) and the passing of
  // time make necessary. Call it now and then without changes, so that certificates are noticed to
  // expire. REQUIRES: state.Synced().
  TranslationUpdate Update(const state::ClusterState& state, const state::Changes& changes,
                           absl::Time now);

  // The ConfigMaps that Ingresses refer to as files, when they are others than at the last call.
  std::optional<state::KeySet> TakeConfigMaps();

  // What full translation needs to know to come to the same result.
  const LastGood& last_good() const { return last_good_; }
  const Options& options() const { return options_; }

  // How many units of each kind were redone since the start: for metrics and for tests of the cost
  // of a change.
  struct Work {
    uint64_t ingresses = 0;
    uint64_t certificates = 0;
    uint64_t hosts = 0;
    uint64_t clusters = 0;
    uint64_t endpoints = 0;
  };
  const Work& work() const { return work_; }

 private:
  using ObjectKey = kube::ObjectKey;
  using ModelPtr = std::shared_ptr<const IngressModel>;

  struct IngressUnit {
    ModelPtr model;  // null: not in use
    std::vector<Diagnostic> diagnostics;
    std::vector<Diagnostic> reference_diagnostics;
    std::vector<Diagnostic> client_ca_diagnostics;
    std::vector<Diagnostic> upstream_secret_diagnostics;
    std::vector<Diagnostic> user_secret_diagnostics;
    std::vector<Diagnostic> header_diagnostics;
  };
  struct CertificateUnit {
    absl::InlinedVector<const IngressModel*, 1> ingresses;  // that refer to the Secret
    CertificateState state;
    std::vector<Diagnostic> diagnostics;
    size_t hosts = 0;      // that offer it
    ResourcePtr resource;  // while hosts > 0
  };
  struct ClientCaUnit {
    absl::InlinedVector<const IngressModel*, 1> ingresses;  // that refer to the Secret
    ClientCa ca;
    ResourcePtr resource;  // as published
  };
  struct UpstreamSecretUnit {
    absl::InlinedVector<const IngressModel*, 1> ingresses;  // that refer to the Secret
    ResourcePtr resource;
  };
  struct UserSecretUnit {
    absl::InlinedVector<const IngressModel*, 1> ingresses;  // that refer to the Secret
    ResourcePtr resource;
  };
  struct HostUnit {
    HostParties parties;
    HostTls own_tls;
    HostTls tls;  // own, or the wildcard's
    std::vector<ClusterRef> clusters;
    std::vector<DnsClusterRef> dns_clusters;
    ResourcePtr resource;
    std::vector<Diagnostic> tls_diagnostics;
    std::vector<Diagnostic> name_diagnostics;
    std::vector<Diagnostic> diagnostics;
  };
  struct ClusterUnit {
    size_t users = 0;  // hosts, the settings, and TCP services
    ResourcePtr resource;
    std::vector<Diagnostic> diagnostics;
    std::optional<BackendRef> backup;
  };
  struct BackendUnit {
    size_t backup_users = 0;  // clusters that it is the backup of
    std::vector<Diagnostic> backup_diagnostics;
    std::map<UpstreamPolicy, ClusterUnit> clusters;
    ResourcePtr endpoints;
    bool has_endpoints = false;
    std::vector<Diagnostic> endpoints_diagnostics;
  };
  struct DnsClusterUnit {
    size_t users = 0;  // hosts
    ResourcePtr resource;
  };
  struct HeaderMapUnit {
    absl::InlinedVector<const IngressModel*, 1>
        ingresses;  // whose custom-headers are the ConfigMap
  };
  struct FilesUnit {
    absl::InlinedVector<const IngressModel*, 1> ingresses;  // that refer to the ConfigMap
    ResourcePtr resource;
  };
  struct StreamsUnit {
    std::map<std::string, ResourcePtr> resources;  // by name
    std::vector<ClusterRef> clusters;
    std::vector<ObjectKey> services;
    std::vector<Diagnostic> diagnostics;
  };
  struct ServiceUsers {
    absl::InlinedVector<const IngressModel*, 1> ingresses;
    absl::InlinedVector<kube::PortRef, 1> backends;  // ports with a BackendUnit
  };

  void MarkEverything();
  void Mark(const state::Changes& changes);
  void MarkStreams(const state::Changes& changes);
  void MarkHosts(const IngressModel& model);
  // The host, and its other names, which depend on its rules.
  void MarkHost(const std::string& host);
  void MarkTls(const std::string& host);
  const HostParties* PartiesOf(std::string_view host) const;

  // The passes of Update, in order.
  void RedoIngresses();
  void RedoCertificates();
  void RedoOptions();
  void RedoTicketKeys();
  void RedoClientCas();
  void RedoUpstreamSecrets();
  void RedoUserSecrets();
  void RedoDefaultBackend();
  void RedoSettings();
  void RedoHostTls();
  void RedoHosts();
  void RedoReferences();
  void RedoFiles();
  void RedoStreams();
  void RedoBackends();
  void RedoValidity();
  void ForgetUnused();

  void RedoIngress(const ObjectKey& key);
  void Link(const ModelPtr& model);
  void Unlink(const IngressModel& model);
  void LinkSecrets(const IngressModel& model);
  void UnlinkSecrets(const IngressModel& model);
  void CheckSecretsOf(IngressUnit& unit);
  void LinkHeaderMap(const IngressModel& model);
  void UnlinkHeaderMap(const IngressModel& model);
  void CheckHeaderMapOf(IngressUnit& unit);
  void RedoHeaderMaps(const state::KeySet& changed);
  void LinkFiles(const IngressModel& model);
  void UnlinkFiles(const IngressModel& model);
  std::vector<Diagnostic> CheckReferences(const IngressModel& model) const;
  void RedoCertificate(const ObjectKey& secret, CertificateUnit& unit);
  std::vector<Diagnostic> CheckClientCaOf(const IngressModel& model) const;
  void MarkHostsUnder(const std::string& wildcard);
  void RedoHost(const std::string& host, HostUnit& unit);
  void DropHost(const std::string& host, HostUnit& unit);
  void OfferCertificate(HostUnit& unit, const std::optional<ObjectKey>& secret);
  void LeadTo(HostUnit& unit, std::vector<ClusterRef> clusters);
  void Ask(HostUnit& unit, std::vector<DnsClusterRef> clusters);
  BackendUnit& UnitOf(const BackendRef& backend);
  void AcquireCluster(const ClusterRef& cluster);
  void ReleaseCluster(const ClusterRef& cluster);
  void UseBackup(ClusterUnit& unit, std::optional<BackendRef> backup);
  void RedoClusters(const BackendRef& backend, BackendUnit& unit);
  void RedoEndpoints(const BackendRef& backend, BackendUnit& unit);
  void DropBackend(const BackendRef& backend, BackendUnit& unit);

  const Options options_;
  const state::ClusterState* state_ = nullptr;  // during Update
  absl::Time now_;
  bool first_ = true;

  LastGood last_good_;
  absl::flat_hash_map<ObjectKey, IngressUnit> ingresses_;
  absl::flat_hash_map<ObjectKey, std::unique_ptr<CertificateUnit>> certificates_;
  absl::flat_hash_map<ObjectKey, ClientCaUnit> client_cas_;
  absl::flat_hash_map<ObjectKey, UpstreamSecretUnit> upstream_secrets_;
  absl::flat_hash_map<UserSecretRef, UserSecretUnit> user_secrets_;
  absl::flat_hash_map<std::string, std::unique_ptr<HostUnit>> hosts_;
  absl::flat_hash_map<BackendRef, std::unique_ptr<BackendUnit>> backends_;
  std::map<DnsClusterRef, DnsClusterUnit> dns_clusters_;
  absl::flat_hash_map<ObjectKey, ServiceUsers> services_;
  absl::flat_hash_map<ObjectKey, FilesUnit> files_;
  absl::flat_hash_map<ObjectKey, HeaderMapUnit> header_maps_;
  StreamsUnit streams_;
  bool config_maps_changed_ = false;  // the keys of these, or of the options' ConfigMaps
  const ConfigMapLookup config_map_of_ = [this](const ObjectKey& key) {
    return state_->FindConfigMap(key);
  };

  GlobalSettings global_;
  std::vector<Diagnostic> option_diagnostics_;
  std::vector<Diagnostic> settings_diagnostics_;
  std::optional<BackendRef> default_backend_;
  ResourcePtr settings_;
  ResourcePtr default_certificate_;
  ResourcePtr ticket_keys_;
  int64_t ticket_epoch_ = 0;
  std::vector<Diagnostic> default_backend_diagnostics_;
  absl::flat_hash_map<state::ClusterState::InvalidKey, std::vector<Diagnostic>> invalid_;
  absl::Time certificate_recheck_ = absl::InfiniteFuture();

  // Marked and not yet redone; all empty between updates.
  state::KeySet dirty_ingresses_;
  state::KeySet dirty_certificates_;
  state::KeySet dirty_client_cas_;
  state::KeySet dirty_upstream_secrets_;
  absl::flat_hash_set<UserSecretRef> dirty_user_secrets_;
  absl::flat_hash_set<std::string> dirty_tls_;
  absl::flat_hash_set<std::string> dirty_hosts_;
  state::KeySet dirty_files_;
  state::KeySet dirty_references_;  // by Service
  absl::flat_hash_set<BackendRef> dirty_clusters_;
  absl::flat_hash_set<BackendRef> dirty_endpoints_;
  bool dirty_options_ = false;
  bool dirty_streams_ = false;
  bool dirty_default_backend_ = false;
  bool dirty_settings_ = false;
  std::vector<state::ClusterState::InvalidKey> dirty_validity_;
  // What lost a user in this update and may have none left.
  state::KeySet maybe_unused_certificates_;
  state::KeySet maybe_unused_services_;

  UpdateLog log_;
  Work work_;
};

}  // namespace headgate::translate
