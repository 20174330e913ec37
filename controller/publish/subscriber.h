#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "controller/publish/snapshot_log.h"
#include "proto/headgate/v1/discovery.pb.h"

namespace headgate::publish {

// A resource that a data plane could not use: it keeps the form it had before.
struct RefusedResource {
  ResourcePtr resource;  // the refused form
  std::string reason;
};

// What is known of one data plane.
struct SubscriberStatus {
  std::string instance;
  std::string build_version;
  // Version whose result came last; empty before the first.
  std::string acked_version;
  Position acked_position = 0;
  // Still valid refusals: the refused form is the current one, as far as this data plane was told.
  std::vector<RefusedResource> refused;
  // What its probes said last.
  v1::HealthReport health;
};

// One data plane's side of the conversation (proto/headgate/v1/discovery.proto): what it said it
// holds, what it has been told, and what comes next. Pure: messages in, messages out.
//
// At most one difference is under way at a time, and the next is worked out only when its result
// has come. So a slow data plane gets the merged latest state, and costs no memory while it is
// slow.
//
// Not thread-safe. Calls that take the log may be made under the log's lock: they do no work in
// proportion to the snapshot but for the first difference of a stream.
class Subscriber {
 public:
  // An upper bound of what is put into one Delta; only a single resource larger than it goes
  // beyond.
  static constexpr size_t kChunkBytes = 128'000;
  // More names than any data plane could hold: an inventory beyond it is refused.
  static constexpr size_t kMaxInventory = 4'000'000;

  // A message of the data plane. An error means that it broke the protocol, and the stream must end
  // with it.
  absl::Status OnMessage(v1::DataPlaneMessage message);

  // True once the inventory is complete: the data plane may be told something.
  bool ready() const { return phase_ == Phase::kReady; }
  // True when there is something new to tell and nothing is under way. `data_planes`: how many
  // there are; 0: that is not told.
  bool CanBegin(const SnapshotLog& log, uint32_t data_planes = 0) const;
  // False when the log no longer reaches back to what this data plane has: the stream must end, so
  // that the next one starts with an inventory.
  bool CanFollow(const SnapshotLog& log) const;
  // Freezes the difference between what the data plane has and the log's current state.
  // REQUIRES: CanBegin(log, data_planes) && CanFollow(log).
  void Begin(const SnapshotLog& log, uint32_t data_planes = 0);

  // The next message of the difference under way; nullopt when there is none left to send.
  std::optional<v1::ControllerMessage> Next();

  const SubscriberStatus& status() const { return status_; }
  // Refusals of the result taken in last, for the log.
  const std::vector<RefusedResource>& newly_refused() const { return newly_refused_; }

 private:
  enum class Phase {
    kHello,      // nothing came yet
    kInventory,  // hello came, inventory is coming
    kReady,
  };

  absl::Status OnHello(const v1::Hello& hello);
  absl::Status OnInventory(const v1::Inventory& inventory);
  absl::Status OnResult(const v1::Result& result);
  absl::Status OnHealth(v1::HealthReport report);
  void PutDelta(v1::Delta& delta);

  Phase phase_ = Phase::kHello;
  // What the inventory said, until the first difference has been worked out.
  absl::flat_hash_map<std::string, uint64_t> held_;
  bool began_ = false;  // the first difference has been worked out
  // Up to here the data plane has been told, or is being told.
  Position told_ = 0;
  uint32_t told_data_planes_ = 0;

  // The difference under way. Present from Begin until its result.
  std::optional<Difference> under_way_;
  size_t upserts_sent_ = 0;
  size_t removed_sent_ = 0;
  bool commit_sent_ = false;

  std::map<std::string, RefusedResource> refused_;
  std::vector<RefusedResource> newly_refused_;
  SubscriberStatus status_;
};

}  // namespace headgate::publish
