#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/flags.h"
#include "common/host_port.h"
#include "controller/kube/objects.h"
#include "controller/kube/scope.h"
#include "controller/publish/tls_files.h"
#include "controller/state/relevance.h"

namespace headgate::app {

// The command line of headgate-controller, as values.
struct Options {
  // Where objects come from: `manifests`, else `kubeconfig`, else the cluster we run in.
  std::string manifests;
  std::string kubeconfig;
  std::string kube_context;
  std::string endpoints_api = "auto";  // "auto", "slices" or "endpoints"

  state::RelevanceOptions relevance;
  std::vector<std::string> watch_secrets;  // "NS" or "NS/NAME"; empty: where the rest is read
  std::string configmap;                   // "NS/NAME" or empty
  std::string tcp_services_configmap;      // "NS/NAME" or empty
  std::string udp_services_configmap;      // "NS/NAME" or empty
  std::string default_backend_service;     // "NS/NAME" or empty
  std::string default_ssl_certificate;     // "NS/NAME" or empty
  bool disable_svc_external_name = false;
  bool enable_ssl_passthrough = false;
  std::string annotations_prefix = "nginx.ingress.kubernetes.io";
  bool disable_catch_all = false;

  bool disable_leader_election = false;
  std::string election_id = "headgate-controller-leader";
  absl::Duration election_ttl = absl::Seconds(15);

  bool disable_sync_events = false;
  bool update_status = true;
  bool update_status_on_shutdown = true;
  absl::Duration status_update_interval = absl::Minutes(1);
  std::vector<std::string> publish_status_address;
  std::string publish_service;   // "NS/NAME" or empty
  std::string publish_nodes_of;  // labels of pods in our namespace, or empty
  bool report_node_internal_ip_address = false;

  std::optional<HostPort> snapshot_listen = HostPort{"127.0.0.1", 7443};
  bool snapshot_insecure = false;
  publish::TlsPaths snapshot_tls;
  // Secrets that these files and those of data planes come from, if controllers renew them.
  std::string snapshot_secret;         // "NS/NAME" or empty
  std::string snapshot_client_secret;  // "NS/NAME" or empty
  std::vector<std::string> snapshot_names;
  absl::Duration snapshot_lifetime = absl::Hours(90 * 24);

  std::optional<HostPort> admin_listen = HostPort{"127.0.0.1", 10255};

  std::optional<HostPort> validating_webhook;  // nothing: there is none
  std::string validating_webhook_certificate;
  std::string validating_webhook_key;
  // Instead of these two: the controllers make the certificate.
  std::string validating_webhook_secret;  // "NS/NAME" or empty
  std::string validating_webhook_configuration;
  std::vector<std::string> validating_webhook_names;
  absl::Duration validating_webhook_lifetime = absl::Hours(90 * 24);

  std::string log_level = "info";
  std::string log_format = "text";
};

// Adds every flag; the targets are the members of `options`.
void DeclareFlags(Options& options, FlagSet& flags);
// What no flag can say by itself: what excludes or needs each other.
absl::Status CheckOptions(const Options& options);
// Where Secrets are read.
kube::ScopeList SecretScopes(const Options& options);
// The namespaces in which the rest is read; empty: all.
std::vector<std::string> NamespacesToWatch(const Options& options);
// "NS/NAME".
absl::StatusOr<kube::ObjectKey> ParseObjectKey(const std::string& text);

}  // namespace headgate::app
