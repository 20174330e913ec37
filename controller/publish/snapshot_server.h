#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "common/host_port.h"
#include "common/metrics.h"
#include "controller/publish/hub.h"
#include "controller/publish/tls_files.h"

namespace grpc {
class Server;
}

namespace headgate::publish {

// Serves the snapshot to data planes (proto/headgate/v1/discovery.proto). Any number of them; each
// gets the latest state at its own speed. A data plane that dials before the first Publish waits
// for it.
//
// Thread: Start, Publish and the destructor one owner; the rest any.
class SnapshotServer {
 public:
  struct Options {
    HostPort listen = {};  // port 0: the system chooses
    // Absent: no TLS at all, allowed on loopback addresses only.
    std::optional<TlsPaths> tls = std::nullopt;
    absl::Duration tls_look_every = absl::Seconds(2);
    // See Hub.
    std::function<void()> health_changed = nullptr;
    std::function<void()> acknowledged = nullptr;
  };

  // Listens. `clock` and `metrics` outlive the server.
  static absl::StatusOr<std::unique_ptr<SnapshotServer>> Start(const Options& options,
                                                               const Clock& clock,
                                                               MetricsRegistry& metrics);
  // Ends every stream with UNAVAILABLE, waits for them for a short while, then cuts them.
  ~SnapshotServer();
  SnapshotServer(const SnapshotServer&) = delete;
  SnapshotServer& operator=(const SnapshotServer&) = delete;

  // Where it listens.
  uint16_t port() const { return port_; }

  // Takes in a change set: names with their new form, or null when gone. The first call is the
  // whole snapshot.
  void Publish(std::vector<Change> changes) { hub_->Publish(std::move(changes)); }

  // See Hub.
  void SetFleet(size_t data_planes) { hub_->SetFleet(data_planes); }

  Hub::Summary Snapshot() const { return hub_->Snapshot(); }
  std::vector<SubscriberStatus> Subscribers() const { return hub_->Subscribers(); }

 private:
  class Service;

  SnapshotServer();

  std::shared_ptr<Hub> hub_;
  std::unique_ptr<TlsFiles> tls_files_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<grpc::Server> server_;
  uint16_t port_ = 0;
};

}  // namespace headgate::publish
