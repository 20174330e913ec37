#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "common/clock.h"
#include "common/metrics.h"
#include "controller/admission/host_index.h"
#include "controller/app/certificate_metrics.h"
#include "controller/app/health_events.h"
#include "controller/app/http_server.h"
#include "controller/app/options.h"
#include "controller/app/pipeline.h"
#include "controller/app/snapshot_certificates.h"
#include "controller/app/webhook_certificate.h"
#include "controller/app/webhook_server.h"
#include "controller/kube/api_source.h"
#include "controller/kube/credentials.h"
#include "controller/kube/leader_election.h"
#include "controller/kube/manifest_source.h"
#include "controller/publish/snapshot_server.h"
#include "controller/status/ingress_events.h"
#include "controller/status/ingress_progress.h"
#include "controller/status/node_addresses.h"
#include "controller/status/peers.h"
#include "controller/status/status_feed.h"
#include "controller/status/status_writer.h"

namespace headgate::app {

// The controller, put together. The members are in the order in which data flows against: what is
// made first is used by what comes later, and the sources stop first.
class App {
 public:
  // INVALID_ARGUMENT, NOT_FOUND and FAILED_PRECONDITION: the operator's to put right (a file that
  // cannot be read). Other codes: the machine's (an address in use).
  static absl::StatusOr<std::unique_ptr<App>> Start(const Options& options);

  uint16_t snapshot_port() const { return server_->port(); }
  uint16_t admin_port() const { return admin_->port(); }

  ~App();

 private:
  App() = default;

  absl::Status StartServer(const Options& options);
  absl::Status StartPipeline(const Options& options);
  absl::Status StartAdmin(const Options& options);
  absl::Status StartWebhook(const Options& options);
  ServingPairSource WebhookPair(const Options& options);
  absl::Status StartSource(const Options& options);
  // What is written to the cluster: made before the pipeline, which tells of changes, and started
  // with the source.
  absl::Status PrepareWriting(const Options& options);
  void StartWriting();
  // Whether this controller is the one that writes.
  bool Leads() const { return election_ == nullptr || election_->leads(); }
  HttpReply Answer(std::string_view path) const;
  // How far the Ingress "NS/NAME" has come.
  HttpReply AnswerIngress(const std::string& name) const;
  // What would become of the Ingress, for the webhook.
  admission::Verdict Judge(const kube::Ingress& candidate) const;

  SystemClock clock_;
  MetricsRegistry metrics_;
  HealthEvents health_events_{clock_, metrics_};     // told by the server, which goes first
  std::optional<kube::ApiServerConfig> api_server_;  // nothing: objects come from a folder
  std::unique_ptr<kube::LeaderElection> election_;   // null: there is none
  // Null: no status is written.
  std::unique_ptr<status::Peers> peers_;
  std::unique_ptr<status::StatusWriter> status_;
  std::unique_ptr<status::StatusFeed> status_feed_;
  std::unique_ptr<status::NodeAddresses> node_addresses_;  // null: addresses do not come from nodes
  bool clear_status_ = false;                              // when we stop, if we are the last
  std::unique_ptr<status::IngressEvents> ingress_events_;  // null: objects come from a folder
  std::unique_ptr<SnapshotCertificates> snapshot_certificates_;  // null: others renew them
  std::unique_ptr<publish::SnapshotServer> server_;
  // The pipeline's thread's.
  std::unique_ptr<admission::HostIndex> hosts_;
  status::IngressProgressBook progress_;
  std::unique_ptr<CertificateMetrics> certificates_;  // shown by the leader
  std::unique_ptr<Pipeline> pipeline_;
  std::unique_ptr<HttpServer> admin_;
  std::unique_ptr<WebhookCertificate>
      webhook_certificate_;                 // null: it comes from files, or there is no webhook
  std::unique_ptr<WebhookServer> webhook_;  // null: there is none
  // One of the two.
  std::unique_ptr<kube::ManifestSource> manifests_;
  std::unique_ptr<kube::ApiSource> api_;
};

}  // namespace headgate::app
