#include "controller/app/options.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "common/strings.h"
#include "controller/status/node_addresses.h"
#include "controller/translate/addresses.h"
#include "controller/translate/annotations/values.h"

namespace headgate::app {
namespace {

// ingress-nginx has a number of seconds.
absl::Status ParseInterval(std::string_view text, absl::Duration* interval) {
  int64_t seconds = 0;
  absl::Duration parsed;
  if (absl::SimpleAtoi(ToAbsl(text), &seconds)) {
    parsed = absl::Seconds(seconds);
  } else if (!absl::ParseDuration(ToAbsl(text), &parsed)) {
    return absl::InvalidArgumentError("must be a time such as 60 or 1m30s");
  }
  if (parsed < absl::Seconds(5) || parsed > absl::Hours(24)) {
    return absl::InvalidArgumentError("must be from 5s to 24h");
  }
  *interval = parsed;
  return absl::OkStatus();
}

// A Secret that is watched by itself costs a thread and a connection.
constexpr int kMaxSingleSecrets = 200;

std::optional<kube::Scope> ParseScope(const std::string& text) {
  if (translate::IsDnsName(text)) return kube::Scope{text, ""};
  std::optional<kube::Scope> scope = translate::ParseReference(text);
  const bool valid = scope && translate::IsDnsName(scope->ns) && translate::IsDnsName(scope->name);
  return valid ? std::move(scope) : std::nullopt;
}

absl::Status CheckWatchSecrets(const Options& options) {
  if (options.watch_secrets.empty()) return absl::OkStatus();
  if (!options.manifests.empty()) {
    return absl::InvalidArgumentError(
        "--watch-secrets needs an API server, and --manifests is without one");
  }
  for (const std::string& text : options.watch_secrets) {
    if (ParseScope(text)) continue;
    return absl::InvalidArgumentError(
        StrCat("--watch-secrets: \"", text, "\" is not NAMESPACE or NAMESPACE/NAME"));
  }
  const kube::ScopeList scopes = SecretScopes(options);
  const auto single = [](const kube::Scope& scope) { return !scope.name.empty(); };
  if (std::count_if(scopes.begin(), scopes.end(), single) > kMaxSingleSecrets) {
    return absl::InvalidArgumentError(StrCat("--watch-secrets: more than ", kMaxSingleSecrets,
                                             " single Secrets; name their namespaces instead"));
  }
  const std::string& fallback = options.default_ssl_certificate;
  if (!fallback.empty() && !kube::Covers(scopes, *translate::ParseReference(fallback))) {
    return absl::InvalidArgumentError(
        StrCat("--default-ssl-certificate: ", fallback, " is not among --watch-secrets"));
  }
  return absl::OkStatus();
}

absl::Status CheckNames(std::string_view flag, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (translate::IsDnsName(name) || translate::ParseIpAddress(name)) continue;
    return absl::InvalidArgumentError(StrCat(flag, ": \"", name, "\" is no DNS name or address"));
  }
  return absl::OkStatus();
}

absl::Status CheckLifetime(std::string_view flag, absl::Duration lifetime) {
  if (lifetime >= absl::Seconds(10)) return absl::OkStatus();
  return absl::InvalidArgumentError(StrCat(flag, " must be 10s at least"));
}

absl::Status CheckSnapshotSecrets(const Options& options) {
  if (options.snapshot_secret.empty() && options.snapshot_client_secret.empty())
    return absl::OkStatus();
  if (options.snapshot_secret.empty() || options.snapshot_client_secret.empty() ||
      options.snapshot_names.empty()) {
    return absl::InvalidArgumentError(
        "--snapshot-secret, --snapshot-client-secret and --snapshot-names need each other");
  }
  if (options.snapshot_insecure || !options.manifests.empty()) {
    return absl::InvalidArgumentError(
        "--snapshot-secret excludes --snapshot-insecure and --manifests");
  }
  if (absl::Status names = CheckNames("--snapshot-names", options.snapshot_names); !names.ok())
    return names;
  return CheckLifetime("--snapshot-certificate-lifetime", options.snapshot_lifetime);
}

absl::Status CheckWebhook(const Options& options) {
  const bool files =
      !options.validating_webhook_certificate.empty() && !options.validating_webhook_key.empty();
  if (options.validating_webhook_secret.empty()) {
    if (!options.validating_webhook || files) return absl::OkStatus();
    return absl::InvalidArgumentError(
        "--validating-webhook needs --validating-webhook-certificate and --validating-webhook-key, "
        "or "
        "--validating-webhook-secret");
  }
  if (!options.validating_webhook) {
    return absl::InvalidArgumentError("--validating-webhook-secret needs --validating-webhook");
  }
  if (files) {
    return absl::InvalidArgumentError(
        "--validating-webhook-secret and --validating-webhook-certificate exclude each other");
  }
  if (!options.manifests.empty()) {
    return absl::InvalidArgumentError(
        "--validating-webhook-secret needs an API server, and --manifests is without one");
  }
  if (options.validating_webhook_configuration.empty() ||
      options.validating_webhook_names.empty()) {
    return absl::InvalidArgumentError(
        "--validating-webhook-secret needs --validating-webhook-configuration and "
        "--validating-webhook-names");
  }
  if (absl::Status names =
          CheckNames("--validating-webhook-names", options.validating_webhook_names);
      !names.ok())
    return names;
  return CheckLifetime("--validating-webhook-certificate-lifetime",
                       options.validating_webhook_lifetime);
}

}  // namespace

void DeclareFlags(Options& options, FlagSet& flags) {
  flags.Group("Where objects come from",
              "Without any of these: the cluster in which the program runs as a pod.");
  flags.AddString(
      "manifests", &options.manifests, "DIR",
      "Read Kubernetes YAML and JSON from this folder and follow its changes. No cluster "
      "is needed.");
  flags.AddString("kubeconfig", &options.kubeconfig, "FILE",
                  "Read from the API server that this kubeconfig names.");
  flags.AddString("kube-context", &options.kube_context, "NAME",
                  "Context of the kubeconfig, if not its current one.");
  flags.AddChoice(
      "endpoints-api", &options.endpoints_api, {"auto", "slices", "endpoints"},
      "Whether addresses come from EndpointSlices or, for old clusters, from Endpoints. "
      "auto asks the API server what it has.");

  flags.Group("Which Ingresses are ours");
  flags.AddString("ingress-class", &options.relevance.ingress_class, "NAME",
                  "Value of the old annotation kubernetes.io/ingress.class that is ours.");
  flags.AddString("controller-class", &options.relevance.controller_class, "NAME",
                  "IngressClasses with this spec.controller are ours.");
  flags.AddBool("ingress-class-by-name", &options.relevance.ingress_class_by_name,
                "Take the IngressClass named as --ingress-class as well, whatever its controller.");
  flags.AddBool("watch-ingress-without-class", &options.relevance.watch_without_class,
                "Take Ingresses that name no class.");
  flags.AddString("watch-namespace", &options.relevance.watch_namespace, "NS",
                  "Only this namespace. Empty: all.");
  flags.AddList(
      "watch-secrets", &options.watch_secrets, "NS|NS/NAME",
      "Read only these Secrets: all of a namespace, or single ones. Others are as good as "
      "not there, and Ingresses that name them are told why. Empty: where the rest is "
      "read.");

  flags.Group("Defaults of what is served");
  flags.AddString("configmap", &options.configmap, "NS/NAME",
                  "ConfigMap with options for all Ingresses and all data planes; a change of it "
                  "takes effect at once.");
  flags.AddString("tcp-services-configmap", &options.tcp_services_configmap, "NS/NAME",
                  "ConfigMap with ports whose connections data planes pass on as they are: PORT: "
                  "NS/SERVICE:PORT, and "
                  "perhaps :PROXY once or twice. A change of it takes effect at once.");
  flags.AddString("udp-services-configmap", &options.udp_services_configmap, "NS/NAME",
                  "The same for UDP, of which nothing is passed on: each entry is reported.");
  flags.AddString("default-backend-service", &options.default_backend_service, "NS/NAME",
                  "Service that answers requests which match no rule, by its first port.");
  flags.AddString(
      "default-ssl-certificate", &options.default_ssl_certificate, "NS/NAME",
      "Secret with the certificate for hosts that have none of their own. Without it: a "
      "self-signed one.");
  flags.AddBool("disable-svc-external-name", &options.disable_svc_external_name,
                "Give Services of type ExternalName no endpoints.");
  flags.AddBool("enable-ssl-passthrough", &options.enable_ssl_passthrough,
                "Let the annotation ssl-passthrough have TLS connections passed on unopened.");
  flags.AddString("annotations-prefix", &options.annotations_prefix, "NAME",
                  "What the names of ingress-nginx's annotations begin with, before the '/'.");
  flags.AddBool("disable-catch-all", &options.disable_catch_all,
                "Leave out Ingresses with a default backend, their rules too.");

  flags.Group("What is written to the cluster",
              "By one controller of several: the leader. All of them serve data planes.");
  flags.AddBool("disable-leader-election", &options.disable_leader_election,
                "Write without being elected. For a controller that is the only one.");
  flags.AddString("election-id", &options.election_id, "NAME",
                  "Lease in the controller's namespace by which the leader is elected.");
  flags.AddDuration("election-ttl", &options.election_ttl,
                    "How long the others wait for a leader that says nothing more.");

  flags.AddString(
      "publish-service", &options.publish_service, "NS/NAME",
      "Service that leads to the data planes; its addresses become the status of Ingresses.");
  flags.AddList(
      "publish-status-address", &options.publish_status_address, "ADDRESS",
      "Addresses and host names for the status of Ingresses, instead of those of a Service.");
  flags.AddString("publish-nodes-of", &options.publish_nodes_of, "LABEL=VALUE[,...]",
                  "Without either: the addresses of the nodes with pods that have these labels, in "
                  "the controller's namespace.");
  flags.AddBool("report-node-internal-ip-address", &options.report_node_internal_ip_address,
                "Of these nodes take the internal addresses, also where they have external ones.");
  flags.AddBool("update-status", &options.update_status, "Write the status of Ingresses.");
  flags.AddBool("update-status-on-shutdown", &options.update_status_on_shutdown,
                "Take the addresses from the status of Ingresses when the last controller stops.");
  flags.AddCustom(
      "status-update-interval", "TIME",
      "How often Ingresses whose status is not as it should be are come back to. A number "
      "means seconds.",
      "1m", [&options](std::string_view text) {
        return ParseInterval(text, &options.status_update_interval);
      });

  flags.Group("Data planes", "They dial this address and get the configuration.");
  flags.AddHostPort("snapshot-listen", &options.snapshot_listen, "Where data planes connect.");
  flags.AddBool("snapshot-insecure", &options.snapshot_insecure,
                "No TLS. Snapshots hold private keys, so the address must be a loopback one.");
  flags.AddString("snapshot-tls-cert", &options.snapshot_tls.certificate, "FILE",
                  "Certificate chain of this controller, PEM. Read again when it changes, as the "
                  "next two.");
  flags.AddString("snapshot-tls-key", &options.snapshot_tls.key, "FILE", "Its private key, PEM.");
  flags.AddString("snapshot-client-ca", &options.snapshot_tls.client_ca, "FILE",
                  "Who signs the certificates of data planes, PEM.");
  flags.AddString("snapshot-secret", &options.snapshot_secret, "NS/NAME",
                  "Secret that these files come from. Controllers renew the certificate in it, and "
                  "that in the next.");
  flags.AddString("snapshot-client-secret", &options.snapshot_client_secret, "NS/NAME",
                  "Secret that the files of data planes come from.");
  flags.AddList("snapshot-names", &options.snapshot_names, "NAME",
                "DNS names or addresses by which data planes call controllers.");
  flags.AddDuration(
      "snapshot-certificate-lifetime", &options.snapshot_lifetime,
      "How long these certificates last; the next one is made when a third of it is left.");

  flags.Group("Admission webhook", "An API server asks it before it takes an Ingress.");
  flags.AddHostPort("validating-webhook", &options.validating_webhook,
                    "Where API servers ask, over TLS, at /networking/v1/ingresses.");
  flags.AddString("validating-webhook-certificate", &options.validating_webhook_certificate, "FILE",
                  "Certificate chain for that, PEM. Read again when it changes, as the next.");
  flags.AddString("validating-webhook-key", &options.validating_webhook_key, "FILE",
                  "Its private key, PEM.");
  flags.AddString("validating-webhook-secret", &options.validating_webhook_secret, "NS/NAME",
                  "Instead of files: controllers make the certificate, keep it in this Secret, "
                  "which must be there, and renew it.");
  flags.AddString("validating-webhook-configuration", &options.validating_webhook_configuration,
                  "NAME", "ValidatingWebhookConfiguration that is told who signed it.");
  flags.AddList("validating-webhook-names", &options.validating_webhook_names, "NAME",
                "DNS names or addresses by which API servers call the webhook.");
  flags.AddDuration(
      "validating-webhook-certificate-lifetime", &options.validating_webhook_lifetime,
      "How long a certificate lasts; the next one is made when a third of it is left.");

  flags.Group("Operation");
  flags.AddHostPort("admin-listen", &options.admin_listen,
                    "Plain HTTP for /metrics, /healthz, /readyz and /ingresses/NAMESPACE/NAME.");
  flags.AddChoice("log-level", &options.log_level, {"debug", "info", "warn", "error", "off"},
                  "The least severe level that is logged.");
  flags.AddChoice("log-format", &options.log_format, {"text", "json"}, "Form of log lines.");
}

absl::Status CheckOptions(const Options& options) {
  if (!options.manifests.empty() && !options.kubeconfig.empty()) {
    return absl::InvalidArgumentError("--manifests and --kubeconfig exclude each other");
  }
  if (!options.kube_context.empty() && options.kubeconfig.empty()) {
    return absl::InvalidArgumentError("--kube-context needs --kubeconfig");
  }
  const publish::TlsPaths& tls = options.snapshot_tls;
  const int tls_files = (tls.certificate.empty() ? 0 : 1) + (tls.key.empty() ? 0 : 1) +
                        (tls.client_ca.empty() ? 0 : 1);
  if (options.snapshot_insecure) {
    if (tls_files > 0) {
      return absl::InvalidArgumentError(
          "--snapshot-insecure and --snapshot-tls-… exclude each other");
    }
    if (!options.snapshot_listen->IsLoopback()) {
      return absl::InvalidArgumentError(
          StrCat("--snapshot-insecure: snapshots hold private keys, so --snapshot-listen must be a "
                 "loopback address, not ",
                 options.snapshot_listen->ToString()));
    }
  } else if (tls_files != 3) {
    return absl::InvalidArgumentError(
        "data planes need --snapshot-tls-cert, --snapshot-tls-key and --snapshot-client-ca (or, on "
        "a "
        "loopback address, --snapshot-insecure)");
  }
  if (!translate::IsDnsName(options.annotations_prefix)) {
    return absl::InvalidArgumentError(
        StrCat("--annotations-prefix: \"", options.annotations_prefix, "\" is no DNS name"));
  }
  for (const std::string* key :
       {&options.configmap, &options.tcp_services_configmap, &options.udp_services_configmap,
        &options.default_backend_service, &options.default_ssl_certificate,
        &options.publish_service, &options.validating_webhook_secret, &options.snapshot_secret,
        &options.snapshot_client_secret}) {
    if (key->empty()) continue;
    if (auto parsed = ParseObjectKey(*key); !parsed.ok()) return parsed.status();
  }
  if (absl::Status status = CheckWatchSecrets(options); !status.ok()) return status;
  if (!options.publish_nodes_of.empty() && !status::IsLabelSelector(options.publish_nodes_of)) {
    return absl::InvalidArgumentError(
        StrCat("--publish-nodes-of: \"", options.publish_nodes_of,
               "\" is not LABEL=VALUE, perhaps with more after commas"));
  }
  if (absl::Status status = CheckSnapshotSecrets(options); !status.ok()) return status;
  if (absl::Status status = CheckWebhook(options); !status.ok()) return status;
  if (options.election_ttl < absl::Seconds(3) || options.election_ttl > absl::Hours(1) ||
      options.election_ttl != absl::Floor(options.election_ttl, absl::Seconds(1))) {
    return absl::InvalidArgumentError("--election-ttl must be whole seconds, from 3s to 1h");
  }
  return absl::OkStatus();
}

// The defaults may live apart from the Ingresses.
std::vector<std::string> NamespacesToWatch(const Options& options) {
  if (options.relevance.watch_namespace.empty()) return {};
  std::set<std::string> namespaces = {options.relevance.watch_namespace};
  for (const std::string* name :
       {&options.default_backend_service, &options.default_ssl_certificate}) {
    if (const auto key = translate::ParseReference(*name)) namespaces.insert(key->ns);
  }
  return {namespaces.begin(), namespaces.end()};
}

kube::ScopeList SecretScopes(const Options& options) {
  std::set<kube::Scope> scopes;
  for (const std::string& text : options.watch_secrets) scopes.insert(*ParseScope(text));
  if (scopes.empty()) {
    for (const std::string& ns : NamespacesToWatch(options)) scopes.insert({ns, ""});
  }
  // A namespace has its single ones as well.
  std::erase_if(scopes, [&](const kube::Scope& scope) {
    return !scope.name.empty() && scopes.contains({scope.ns, ""});
  });
  return {scopes.begin(), scopes.end()};
}

absl::StatusOr<kube::ObjectKey> ParseObjectKey(const std::string& text) {
  std::optional<kube::ObjectKey> key = translate::ParseReference(text);
  if (!key) return absl::InvalidArgumentError(StrCat("\"", text, "\" is not NAMESPACE/NAME"));
  return *std::move(key);
}

}  // namespace headgate::app
