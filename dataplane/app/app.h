#pragma once

#include <atomic>
#include <memory>

#include "absl/status/statusor.h"
#include "common/clock.h"
#include "common/shutdown.h"
#include "dataplane/admin/admin_server.h"
#include "dataplane/app/config_applier.h"
#include "dataplane/app/options.h"
#include "dataplane/control/control_thread.h"
#include "dataplane/control/snapshot_client.h"
#include "dataplane/observe/access_log.h"
#include "dataplane/observe/span_queue.h"
#include "dataplane/tracing/exporter.h"
#include "dataplane/worker/worker_pool.h"

namespace headgate::app {

// The data plane: its parts in the order in which they depend on each other.
class App {
 public:
  // Opens files and sockets; the error says which could not be had.
  static absl::StatusOr<std::unique_ptr<App>> Create(Options options);
  ~App();

  // Serves until a request to stop, then drains. Returns the process's exit code.
  int Run(Shutdown& shutdown);

 private:
  explicit App(Options options) : options_(std::move(options)) {}

  void AddPages();
  bool ready() const { return applier_->configured() && !draining_.load(); }
  void Drain(Shutdown& shutdown);

  Options options_;
  std::atomic<bool> draining_{false};
  net::Fd reopen_;  // SIGUSR1: open the access log anew
  std::unique_ptr<observe::AccessLogFile> access_log_;
  observe::SpanQueue spans_;
  std::unique_ptr<control::ControlThread> control_;
  std::unique_ptr<worker::WorkerPool> workers_;
  std::unique_ptr<health::Checker> checker_;
  std::unique_ptr<control::HealthReporter> health_reporter_;
  std::unique_ptr<upstream::DnsResolver> resolver_;
  std::unique_ptr<tracing::Exporter>
      exporter_;  // sends what is left when nobody makes spans any more
  std::unique_ptr<ConfigApplier> applier_;
  std::unique_ptr<control::SnapshotStore> store_;  // until the client takes it
  std::unique_ptr<control::SnapshotClient> client_;
  std::unique_ptr<admin::AdminServer> admin_;
};

}  // namespace headgate::app
