#include "controller/app/app.h"

#include <openssl/rand.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "common/backoff.h"
#include "common/file.h"
#include "common/flags.h"
#include "common/log.h"
#include "common/strings.h"
#include "controller/app/fallback_certificate.h"
#include "controller/kube/rest_transport.h"
#include "controller/status/fleet.h"

namespace headgate::app {
namespace {

// A pipeline that has not come round for so long will not any more.
constexpr absl::Duration kHangLimit = absl::Minutes(2);
// Controllers that are told to stop together hear of each other within this time. While another
// remains the leader waits for all of it before it gives up the Lease.
constexpr absl::Duration kOthersStop = absl::Seconds(3);
// An API server waits for the webhook's answer longer than this, and an operator for a page's.
constexpr absl::Duration kReviewLimit = absl::Seconds(2);
constexpr size_t kMaxKeyFile = 1 << 20;

absl::StatusOr<kube::ApiServerConfig> FindApiServer(const Options& options) {
  if (!options.kubeconfig.empty()) {
    return kube::LoadKubeconfig(options.kubeconfig, options.kube_context);
  }
  return kube::InClusterConfig([](const char* name) { return std::getenv(name); });
}

kube::EndpointsApi EndpointsApiOf(const std::string& text) {
  if (text == "slices") return kube::EndpointsApi::kSlices;
  if (text == "endpoints") return kube::EndpointsApi::kLegacy;
  return kube::EndpointsApi::kAuto;
}

std::optional<kube::ObjectKey> KeyOf(const std::string& text) {
  if (text.empty()) return std::nullopt;
  absl::StatusOr<kube::ObjectKey> key = ParseObjectKey(text);
  return key.ok() ? std::optional(*std::move(key)) : std::nullopt;
}

// What all replicas share: the key by which they prove themselves to data planes. Without one there
// is but one replica, and random bytes do.
SecretBytes TicketRootOf(const Options& options) {
  absl::StatusOr<std::string> bytes = std::string(32, '\0');
  if (options.snapshot_insecure) {
    if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes->data()), 32) != 1) return {};
  } else {
    bytes = ReadFile(options.snapshot_tls.key, kMaxKeyFile);
    if (!bytes.ok()) return {};
  }
  SecretBytes root(*bytes);
  WipeMemory(bytes->data(), bytes->size());
  return root;
}

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Where our own objects are: the pod's namespace, which the chart tells; else that of the
// credentials.
std::string OwnNamespace(const kube::ApiServerConfig& server) {
  std::string ns = Environment("POD_NAMESPACE");
  if (ns.empty()) ns = server.default_namespace;
  return ns.empty() ? "default" : ns;
}

// A pod has its name for itself, also after a restart of its container. A host may have several
// controllers.
std::string OwnName() {
  if (std::string pod = Environment("POD_NAME"); !pod.empty()) return pod;
  char host[256] = {};
  if (gethostname(host, sizeof(host) - 1) != 0) host[0] = '\0';
  return StrCat(std::string_view(host), "_", absl::Hex(RandomSeed()));
}

}  // namespace

absl::StatusOr<std::unique_ptr<App>> App::Start(const Options& options) {
  std::unique_ptr<App> app(new App);
  for (const auto start : {&App::PrepareWriting, &App::StartServer, &App::StartPipeline,
                           &App::StartAdmin, &App::StartWebhook, &App::StartSource}) {
    if (absl::Status status = ((*app).*start)(options); !status.ok()) return status;
  }
  return app;
}

// Sources call the pipeline, which tells one of them what to watch: that one stops first and goes
// last.
App::~App() {
  admin_.reset();
  webhook_.reset();
  if (webhook_certificate_ != nullptr) webhook_certificate_->Stop();
  if (snapshot_certificates_ != nullptr) snapshot_certificates_->Stop();
  if (node_addresses_ != nullptr) node_addresses_->Stop();
  health_events_.Stop();
  if (ingress_events_ != nullptr) ingress_events_->Stop();
  // While endpoints are still heard of.
  if (status_ != nullptr) {
    status_->Stop(clear_status_ && Leads() && peers_->AwaitLast(clock_, kOthersStop));
  }
  if (election_ != nullptr) election_->Stop();
  manifests_.reset();
  if (api_ != nullptr) api_->Stop();
  pipeline_.reset();
}

absl::Status App::StartServer(const Options& options) {
  publish::SnapshotServer::Options server;
  server.listen = *options.snapshot_listen;
  if (!options.snapshot_insecure) server.tls = options.snapshot_tls;
  server.health_changed = [this] { health_events_.Changed(); };
  if (ingress_events_ != nullptr) {
    server.acknowledged = [this] { ingress_events_->OnAcknowledged(); };
  }
  auto started = publish::SnapshotServer::Start(server, clock_, metrics_);
  if (!started.ok()) return started.status();
  server_ = *std::move(started);
  return absl::OkStatus();
}

absl::Status App::StartPipeline(const Options& options) {
  absl::StatusOr<translate::CertificatePem> fallback = MakeFallbackCertificate(clock_.WallNow());
  if (!fallback.ok()) return fallback.status();
  Pipeline::Options pipeline;
  pipeline.state.relevance = options.relevance;
  if (!options.configmap.empty()) {
    pipeline.state.required.push_back(kube::Kind::kConfigMap);
    pipeline.translate.config_map = KeyOf(options.configmap);
  }
  pipeline.translate.tcp_services = KeyOf(options.tcp_services_configmap);
  pipeline.translate.udp_services = KeyOf(options.udp_services_configmap);
  pipeline.translate.default_backend = KeyOf(options.default_backend_service);
  pipeline.translate.default_certificate = KeyOf(options.default_ssl_certificate);
  pipeline.translate.fallback_certificate = *std::move(fallback);
  pipeline.translate.ticket_root = TicketRootOf(options);
  pipeline.translate.allow_loopback_endpoints = !options.manifests.empty();
  pipeline.translate.settings.mutable_buffering()->set_request(true);  // as in ingress-nginx
  pipeline.translate.external_names = !options.disable_svc_external_name;
  pipeline.translate.ssl_passthrough = options.enable_ssl_passthrough;
  pipeline.translate.annotation_prefix = StrCat(options.annotations_prefix, "/");
  pipeline.translate.catch_all = !options.disable_catch_all;
  hosts_ = std::make_unique<admission::HostIndex>(pipeline.translate.annotation_prefix);
  certificates_ = std::make_unique<CertificateMetrics>(CertificateMetrics::Labels{
      options.relevance.controller_class, Environment("POD_NAMESPACE"), Environment("POD_NAME")});
  metrics_.AddCollector([this](MetricsWriter& writer) {
    if (Leads()) certificates_->Collect(writer);
  });
  pipeline.observe = [this, published = KeyOf(options.publish_service), fleet_known = false](
                         const state::ClusterState& state, const state::Changes& changes,
                         const translate::TranslationUpdate& update) mutable {
    certificates_->Apply(update);
    if (published && (changes.endpoints.contains(*published) || !fleet_known)) {
      server_->SetFleet(status::CountDataPlanes(state, *published));
      fleet_known = true;
    }
    hosts_->Update(state, changes.ingresses);
    if (status_feed_ != nullptr) status_feed_->Take(state, changes);
    const publish::Position position = server_->Snapshot().position;
    progress_.OnTurn(state, changes, update, position);
    if (ingress_events_ != nullptr) ingress_events_->OnTurn(state, changes, update, position);
  };
  if (options.manifests.empty()) {
    pipeline.state.secrets = SecretScopes(options);
    pipeline.watch_config_maps = [this](const state::KeySet& config_maps) {
      api_->WatchObjects(kube::Kind::kConfigMap, config_maps);
    };
  }
  pipeline_ = std::make_unique<Pipeline>(
      std::move(pipeline),
      [this](std::vector<publish::Change> changes) { server_->Publish(std::move(changes)); },
      clock_, metrics_);
  return absl::OkStatus();
}

absl::Status App::StartAdmin(const Options& options) {
  auto started = HttpServer::Start(
      {.listen = *options.admin_listen},
      [this](const HttpRequest& request) { return Answer(request.path); }, clock_);
  if (!started.ok()) return started.status();
  admin_ = *std::move(started);
  return absl::OkStatus();
}

absl::Status App::StartWebhook(const Options& options) {
  if (!options.validating_webhook) return absl::OkStatus();
  auto started = WebhookServer::Start(
      {.listen = *options.validating_webhook, .pair = WebhookPair(options)},
      [this](const kube::Ingress& candidate) { return Judge(candidate); }, clock_, metrics_);
  if (!started.ok()) return started.status();
  webhook_ = *std::move(started);
  return absl::OkStatus();
}

ServingPairSource App::WebhookPair(const Options& options) {
  if (options.validating_webhook_secret.empty()) {
    return PairOfFiles(options.validating_webhook_certificate, options.validating_webhook_key);
  }
  WebhookCertificateOptions certificate;
  certificate.secret = *KeyOf(options.validating_webhook_secret);
  certificate.configuration = options.validating_webhook_configuration;
  certificate.certificate = {.subject = "headgate-admission",
                             .names = options.validating_webhook_names,
                             .lifetime = options.validating_webhook_lifetime};
  webhook_certificate_ = std::make_unique<WebhookCertificate>(
      std::move(certificate), kube::MakeRestTransport(*api_server_), [this] { return Leads(); },
      clock_, metrics_);
  return [this] { return webhook_certificate_->pair(); };
}

absl::Status App::StartSource(const Options& options) {
  if (!options.manifests.empty()) {
    kube::ManifestSourceOptions manifests;
    manifests.folder = options.manifests;
    manifests_ =
        std::make_unique<kube::ManifestSource>(manifests, pipeline_->sink(), clock_, metrics_);
    return manifests_->Start();
  }
  HEADGATE_LOG(kInfo, "app", "reading from the API server", {"url", api_server_->url});
  kube::ApiSourceOptions source;
  source.namespaces = NamespacesToWatch(options);
  source.scopes_of[kube::Kind::kSecret] = SecretScopes(options);
  if (const std::optional<kube::ObjectKey> published = KeyOf(options.publish_service);
      published && status_ != nullptr && !source.namespaces.empty()) {
    std::set<kube::Scope> services = {{published->ns, ""}};
    for (const std::string& ns : source.namespaces) services.insert({ns, ""});
    source.scopes_of[kube::Kind::kService] = {services.begin(), services.end()};
  }
  if (const std::optional<kube::ObjectKey> config_map = KeyOf(options.configmap)) {
    source.kinds.push_back(kube::Kind::kConfigMap);
    source.scopes_of[kube::Kind::kConfigMap] = {{config_map->ns, ""}};
  }
  source.endpoints_api = EndpointsApiOf(options.endpoints_api);
  api_ = std::make_unique<kube::ApiSource>(
      std::move(source), [config = *api_server_] { return kube::MakeRestTransport(config); },
      pipeline_->sink(), clock_, metrics_);
  api_->Start();
  StartWriting();
  return absl::OkStatus();
}

absl::Status App::PrepareWriting(const Options& options) {
  if (!options.manifests.empty()) return absl::OkStatus();
  absl::StatusOr<kube::ApiServerConfig> server = FindApiServer(options);
  if (!server.ok()) return server.status();
  api_server_ = *std::move(server);
  kube::InitializeRest();
  const std::string ns = OwnNamespace(*api_server_);
  if (!options.disable_leader_election) {
    kube::LeaderElectionOptions election;
    election.lease = {ns, options.election_id};
    election.identity = OwnName();
    election.duration = options.election_ttl;
    election.seed = RandomSeed();
    kube::RestTransportOptions transport;
    transport.head_limit = kube::LeaderElection::RequestLimit(election);
    election_ = std::make_unique<kube::LeaderElection>(
        std::move(election), kube::MakeRestTransport(*api_server_, transport), clock_, metrics_,
        [this] {
          if (status_ != nullptr) status_->LeadChanged();
          if (webhook_certificate_ != nullptr) webhook_certificate_->LeadChanged();
          if (snapshot_certificates_ != nullptr) snapshot_certificates_->LeadChanged();
          if (node_addresses_ != nullptr) node_addresses_->LeadChanged();
          ingress_events_->LeadChanged();
        });
  }
  if (!options.snapshot_secret.empty()) {
    SnapshotCertificatesOptions certificates;
    certificates.controller = *KeyOf(options.snapshot_secret);
    certificates.data_plane = *KeyOf(options.snapshot_client_secret);
    certificates.names = options.snapshot_names;
    certificates.lifetime = options.snapshot_lifetime;
    snapshot_certificates_ = std::make_unique<SnapshotCertificates>(
        std::move(certificates), kube::MakeRestTransport(*api_server_), [this] { return Leads(); },
        clock_, metrics_);
  }
  status::IngressEventsOptions events;
  events.applied = !options.disable_sync_events;
  ingress_events_ = std::make_unique<status::IngressEvents>(
      events, kube::MakeRestTransport(*api_server_), [this] { return Leads(); },
      [this] { return server_->Subscribers(); }, clock_, metrics_);
  status::StatusFeed::Options feed;
  feed.given = status::GivenAddresses(options.publish_status_address);
  feed.published = KeyOf(options.publish_service);
  const bool nodes = feed.given.empty() && !feed.published && !options.publish_nodes_of.empty();
  if (!options.update_status || (feed.given.empty() && !feed.published && !nodes))
    return absl::OkStatus();
  status::StatusWriterOptions writer;
  writer.interval = options.status_update_interval;
  // Where we cannot see whether others remain, none of them may find its work undone.
  const bool sees_others =
      options.relevance.watch_namespace.empty() || options.relevance.watch_namespace == ns;
  clear_status_ = options.update_status_on_shutdown && sees_others;
  peers_ = std::make_unique<status::Peers>(ns, Environment("POD_NAME"));
  status_ = std::make_unique<status::StatusWriter>(
      writer, kube::MakeRestTransport(*api_server_), [this] { return Leads(); }, clock_, metrics_);
  status_feed_ = std::make_unique<status::StatusFeed>(std::move(feed), *status_, *peers_);
  if (!nodes) return absl::OkStatus();
  status::NodeAddressesOptions addresses;
  addresses.ns = ns;
  addresses.selector = options.publish_nodes_of;
  addresses.internal = options.report_node_internal_ip_address;
  node_addresses_ = std::make_unique<status::NodeAddresses>(
      std::move(addresses), kube::MakeRestTransport(*api_server_), [this] { return Leads(); },
      [this](status::AddressList found) { status_->SetAddresses(std::move(found)); }, clock_,
      metrics_);
  return absl::OkStatus();
}

void App::StartWriting() {
  if (status_ != nullptr) status_->Start();
  if (node_addresses_ != nullptr) node_addresses_->Start();
  if (webhook_certificate_ != nullptr) webhook_certificate_->Start();
  if (snapshot_certificates_ != nullptr) snapshot_certificates_->Start();
  ingress_events_->Start();
  health_events_.Start(kube::MakeRestTransport(*api_server_),
                       [this] { return server_->Subscribers(); });
  if (election_ != nullptr) election_->Start();
}

admission::Verdict App::Judge(const kube::Ingress& candidate) const {
  admission::Verdict verdict;
  const bool judged = pipeline_->Ask(
      [&](const state::ClusterState& state, const translate::Translator& translator) {
        verdict = admission::Judge(candidate, state, *hosts_, translator, clock_.WallNow());
      },
      kReviewLimit);
  if (!judged)
    verdict.warnings = {"Headgate had no time to look at this Ingress, and lets it pass"};
  return verdict;
}

HttpReply App::Answer(std::string_view path) const {
  if (path == "/metrics") {
    return {.content_type = std::string(MetricsRegistry::kContentType), .body = metrics_.Render()};
  }
  if (path == "/healthz") {
    if (pipeline_->SinceLastTurn() < kHangLimit) return {.body = "ok\n"};
    return {.status = 503, .body = "translation hangs\n"};
  }
  if (path == "/readyz") {
    if (pipeline_->published()) return {.body = "ok\n"};
    return {.status = 503, .body = "not every kind of object has been listed yet\n"};
  }
  if (constexpr std::string_view kIngresses = "/ingresses/"; path.starts_with(kIngresses)) {
    return AnswerIngress(std::string(path.substr(kIngresses.size())));
  }
  return {.status = 404,
          .body = "There are /metrics, /healthz, /readyz and /ingresses/NAMESPACE/NAME.\n"};
}

HttpReply App::AnswerIngress(const std::string& name) const {
  const absl::StatusOr<kube::ObjectKey> key = ParseObjectKey(name);
  std::optional<status::IngressProgress> progress;
  if (key.ok()) {
    const bool asked = pipeline_->Ask(
        [&](const state::ClusterState& state, const translate::Translator&) {
          progress = progress_.Find(state, *key);
        },
        kReviewLimit);
    if (!asked)
      return {.status = 503, .body = "there is nothing translated yet, or no time to look\n"};
  }
  if (!progress)
    return {.status = 404, .body = StrCat("no Ingress ", name, " is served by this controller\n")};
  return {.content_type = "application/json",
          .body = status::RenderProgress(*progress, server_->Subscribers())};
}

}  // namespace headgate::app
