#pragma once

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "common/clock.h"
#include "common/metrics.h"
#include "controller/app/admin_server.h"
#include "controller/app/health_events.h"
#include "controller/app/options.h"
#include "controller/app/pipeline.h"
#include "controller/kube/api_source.h"
#include "controller/kube/credentials.h"
#include "controller/kube/leader_election.h"
#include "controller/kube/manifest_source.h"
#include "controller/publish/snapshot_server.h"

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
  absl::Status StartSource(const Options& options);
  // What is written to the cluster.
  void StartWriting(const Options& options, const kube::ApiServerConfig& server);
  // Whether this controller is the one that writes.
  bool Leads() const { return election_ == nullptr || election_->leads(); }
  AdminReply Answer(std::string_view path) const;

  SystemClock clock_;
  MetricsRegistry metrics_;
  HealthEvents health_events_{clock_, metrics_};    // told by the server, which goes first
  std::unique_ptr<kube::LeaderElection> election_;  // null: there is none
  std::unique_ptr<publish::SnapshotServer> server_;
  std::unique_ptr<Pipeline> pipeline_;
  std::unique_ptr<AdminServer> admin_;
  // One of the two.
  std::unique_ptr<kube::ManifestSource> manifests_;
  std::unique_ptr<kube::ApiSource> api_;
};

}  // namespace headgate::app
