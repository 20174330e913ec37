#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/metrics.h"
#include "controller/publish/snapshot_log.h"
#include "controller/publish/subscriber.h"

namespace headgate::publish {

class SnapshotStream;

// What the streams share: the current snapshot, and the list of the streams themselves.
//
// Thread: any. Never calls a stream with its lock held, so that a stream may call it with its own
// lock held.
class Hub {
 public:
  // A resource above this does not fit into a message with room to spare; its last good form stays.
  static constexpr size_t kMaxResourceBytes = size_t{32} << 20;

  // `acknowledged`: some data plane has answered to a version, or has gone; otherwise as the next.
  // `health_changed`: some data plane's probes may say something else now, or it has gone. Any
  // thread, perhaps with a stream's lock held: must neither block nor call back. Empty: nobody
  // wants to know.
  Hub(MetricsRegistry& metrics, std::function<void()> health_changed,
      std::function<void()> acknowledged);

  // Takes in a change set and tells every stream. The first call opens the gate: until then streams
  // wait.
  void Publish(std::vector<Change> changes);
  // Works out what `subscriber` is to be told next. False: nothing now. OUT_OF_RANGE: it is too far
  // behind, its stream must end.
  absl::StatusOr<bool> Begin(Subscriber& subscriber) const;

  // Keeps the stream alive until Remove. False when closed: the stream must end.
  bool Add(const std::shared_ptr<SnapshotStream>& stream);
  void Remove(const std::shared_ptr<SnapshotStream>& stream);
  // Ends every stream, and those to come.
  void Close();

  // What streams report, for metrics and Subscribers().
  void OnStatus(const SnapshotStream* stream, const SubscriberStatus& status);
  // A data plane has come, as OnStatus has said: all are told how many there are. Not with a
  // stream's lock held.
  void OnFleetChanged();
  // There are so many data planes whichever controller they are connected to, as far as is known;
  // all are told the larger number of these and ours.
  void SetFleet(size_t data_planes);
  void OnHealth() {
    if (health_changed_) health_changed_();
  }
  // After OnStatus.
  void OnResult(size_t newly_refused, absl::Duration took);
  void OnCommitSent() { commits_.Add(); }
  void OnDeltaSent(size_t resources) { resources_sent_.Add(resources); }

  struct Summary {
    std::string version;
    Position position = 0;
    size_t resources = 0;
    std::map<std::string, size_t> resources_by_kind;
    bool published = false;
  };
  Summary Snapshot() const;
  // Of the data planes connected now, by instance.
  std::vector<SubscriberStatus> Subscribers() const;
  // For a metrics registry's collector.
  void Collect(MetricsWriter& writer) const;

 private:
  using Streams = std::map<const SnapshotStream*, std::shared_ptr<SnapshotStream>>;

  std::vector<std::shared_ptr<SnapshotStream>> CopyStreams() const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::function<void()> health_changed_;
  const std::function<void()> acknowledged_;

  Counter& publishes_;
  Counter& commits_;
  Counter& results_;
  Counter& refusals_;
  Counter& resources_sent_;
  Counter& streams_opened_;
  Counter& oversized_;
  Histogram& result_seconds_;

  mutable std::mutex mutex_;
  SnapshotLog log_ ABSL_GUARDED_BY(mutex_);
  bool published_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  size_t fleet_ ABSL_GUARDED_BY(mutex_) = 0;
  Streams streams_ ABSL_GUARDED_BY(mutex_);
  std::map<const SnapshotStream*, SubscriberStatus> status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace headgate::publish
