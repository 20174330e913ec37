#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "absl/base/thread_annotations.h"

// How much of a cluster may be in use at once, and how much is. See UpstreamLimits in
// proto/headgate/v1/upstream.proto.
namespace headgate::config {

// A limit of 0 is none, but for pending requests.
struct UpstreamLimits {
  uint32_t max_connections = 0;
  uint32_t max_pending = 1024;
  uint32_t max_requests_per_endpoint = 0;
  bool operator==(const UpstreamLimits&) const = default;

  bool enabled() const { return max_connections > 0 || max_requests_per_endpoint > 0; }
};

// Something of which so many are in use. Any thread.
class UsageCount {
 public:
  // One more, if there are less than `most`; 0: whatever there are.
  bool TryTake(uint32_t most) {
    uint32_t count = count_.load();
    do {
      if (most != 0 && count >= most) return false;
    } while (!count_.compare_exchange_weak(count, count + 1));
    return true;
  }
  void Add(uint32_t count) { count_.fetch_add(count); }
  void Subtract(uint32_t count) { count_.fetch_sub(count); }
  uint32_t value() const { return count_.load(); }

 private:
  std::atomic<uint32_t> count_{0};
};

// What all workers of the process have in use of one cluster with limits; it stays the same as long
// as the cluster has any. What the counts say holds at every moment: a worker takes before it uses.
// Any thread.
class ClusterUsage {
 public:
  // A worker whose requests wait for room.
  class Waiting {
   public:
    // There may be room. From any thread, with a lock held: posts, and no more.
    virtual void OnRoom() = 0;

   protected:
    ~Waiting() = default;
  };

  UsageCount connections;  // with requests
  UsageCount pending;
  std::atomic<uint64_t> rejected{0};  // answered 503

  // After this, room that appears is told to somebody who waits; what appeared before has to be
  // looked for.
  void BeginWaiting(Waiting& waiting);
  void EndWaiting(Waiting& waiting);
  // After something was given back: tells one of those who wait, each in turn.
  void TellOfRoom();

 private:
  std::atomic<size_t> waiting_count_{0};
  std::mutex mutex_;  // taken only while somebody waits
  std::vector<Waiting*> waiting_ ABSL_GUARDED_BY(mutex_);
  size_t turn_ ABSL_GUARDED_BY(mutex_) = 0;
};

// The limits of one cluster with what is in use.
struct ClusterLimits {
  UpstreamLimits limits;
  std::shared_ptr<ClusterUsage> usage;
  // Requests under way at each endpoint, in the order of CompiledCluster::endpoints. An address
  // keeps its count as long as it stays in the cluster.
  std::vector<std::shared_ptr<UsageCount>> requests;

  // Whether a request that came now would be answered 503.
  bool open() const;
};

}  // namespace headgate::config
