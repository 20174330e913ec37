#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/backoff.h"
#include "common/clock.h"
#include "common/host_port.h"
#include "common/metrics.h"
#include "dataplane/control/applier.h"
#include "dataplane/control/client_credentials.h"
#include "dataplane/control/control_thread.h"
#include "dataplane/control/health_reporter.h"
#include "dataplane/control/snapshot_store.h"
#include "dataplane/control/staged_change.h"
#include "proto/headgate/v1/discovery.grpc.pb.h"

namespace headgate::control {

struct ClientOptions {
  HostPort controller;
  // Absent: no TLS.
  std::optional<TlsPaths> tls;
  // The name that the controller's certificate must bear; empty: the host dialled.
  std::string server_name;
  // Unique per process start.
  std::string instance;
  std::string build_version;
  // Pauses between attempts. Short at the longest: a change made while the controller was away is
  // to arrive within seconds of its return.
  // Reports on each stream; null: nobody does. Outlives the client.
  HealthReporter* health = nullptr;
  BackoffOptions backoff = {.initial = absl::Milliseconds(100), .max = absl::Seconds(2)};
};

// What the admin endpoint shows.
struct ClientStatus {
  // True once a complete configuration has been applied, from disk or from the controller.
  bool configured = false;
  bool connected = false;  // a stream is open and the controller has spoken on it
  std::string version;     // last applied
  absl::Time applied;      // when; the epoch before the first
  uint64_t resources = 0;
  uint64_t commits = 0;
  uint64_t data_planes = 0;  // as the controller said last; 0: it has not
  uint64_t streams = 0;      // attempts included
  uint64_t mismatches = 0;
  // Refused resources and why, as far as the controller has not replaced or removed them since.
  std::map<std::string, std::string> refused;
  bool disk_behind = false;
  uint64_t disk_bytes = 0;
  // Why the last stream ended; empty while all is well.
  std::string last_error;
};

// Keeps the data plane's configuration up to date: first from disk, then from the controller,
// whenever it can be reached. Without it, what is there goes on serving.
//
// Thread: has one of its own, for network and disk; the applier runs on the control thread. Status
// from any thread.
class SnapshotClient {
 public:
  // Everything referred to outlives the client. Starts at once.
  SnapshotClient(ClientOptions options, std::unique_ptr<SnapshotStore> store, Applier& applier,
                 ControlThread& control_thread, const Clock& clock);
  // Ends the stream and waits for the thread.
  ~SnapshotClient();
  SnapshotClient(const SnapshotClient&) = delete;
  SnapshotClient& operator=(const SnapshotClient&) = delete;

  ClientStatus status() const;
  // For a metrics registry's collector.
  void Collect(MetricsWriter& writer) const;

 private:
  using Stream = grpc::ClientReaderWriter<v1::DataPlaneMessage, v1::ControllerMessage>;
  using Resources = std::vector<const v1::Resource*>;
  using Refusals = std::map<std::string, std::string>;  // name to reason

  void Run();
  void LoadFromDisk();
  // One connection from dialling to its end; why it ended.
  absl::Status RunStream();
  absl::Status Converse(Stream& stream);
  bool SendInventory(Stream& stream);
  // The reporter writes too.
  bool Write(Stream& stream, const v1::DataPlaneMessage& message);
  // Takes the staged change in, up to the disk.
  absl::StatusOr<v1::Result> Commit(const v1::Commit& commit);
  // Whether a commit without a change says again, in the same stream, what is held: only the number
  // of data planes is new.
  bool Confirms(const v1::Commit& commit);
  // Number of resources that the controller expects us to hold after the change.
  uint64_t CountAfter(const Resources& upserts, const std::vector<std::string>& removed) const;
  // What was refused, and why, of a change that has become effective otherwise.
  Refusals Apply(const std::string& version, const Resources& upserts,
                 const std::vector<std::string>& removed);
  void NoteRefusals(const Resources& upserts, const std::vector<std::string>& removed,
                    const Refusals& refusals);
  // Asks once more for what the disk missed, when that is due.
  bool RepairIsDue() const;
  // What is held, as the status shows it.
  void NoteContent() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool Stopping();

  const ClientOptions options_;
  Applier& applier_;
  ControlThread& control_thread_;
  const Clock& clock_;

  // Used by the client's thread only.
  std::unique_ptr<SnapshotStore> store_;
  ClientCredentials credentials_;
  Backoff backoff_;
  StagedChange staged_;
  // The two sides disagree: the next stream begins with an empty inventory, and its first commit
  // replaces all.
  bool start_over_ = false;
  bool replace_all_ = false;
  // Refused upserts of this stream that have no older form here: the controller counts them, we do
  // not hold them.
  absl::flat_hash_set<std::string> refused_absent_;
  absl::Duration last_repair_;

  std::mutex write_mutex_;  // held while writing to the stream

  mutable std::mutex mutex_;
  std::condition_variable stop_changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::ClientContext* context_ ABSL_GUARDED_BY(mutex_) = nullptr;  // of the open stream
  ClientStatus status_ ABSL_GUARDED_BY(mutex_);

  std::thread thread_;  // last: starts when everything else is there
};

}  // namespace headgate::control
