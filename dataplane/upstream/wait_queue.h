#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "dataplane/base/intrusive_list.h"
#include "dataplane/config/upstream_limits.h"
#include "dataplane/net/event_loop.h"

namespace headgate::upstream {

class ClusterSet;
class WaitQueue;

// A request for which there is no room at its upstream for now.
class WaitingRequest : public base::ListNode {
 public:
  // There may be room, or the cluster is another now or gone. True: it waits no longer, whatever
  // became of it. False: it keeps its place.
  virtual bool TryBegin() = 0;

  // Gives up its place, if it has one.
  void StopWaiting();
  bool waiting() const { return linked(); }

 protected:
  ~WaitingRequest() = default;

 private:
  friend class WaitQueue;
  WaitQueue* queue_ = nullptr;
};

// The requests of one worker that wait for room at a cluster with limits, first come, first served.
// They are tried whenever some worker gives something back; between workers everybody has a turn,
// and nothing is promised.
//
// Owned by its cluster, on the worker's thread. Those that still wait when it ends are tried again,
// soon.
class WaitQueue final : private config::ClusterUsage::Waiting {
 public:
  // `set` outlives it.
  WaitQueue(ClusterSet& set, std::shared_ptr<config::ClusterUsage> usage);
  ~WaitQueue();
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;

  const std::shared_ptr<config::ClusterUsage>& usage() const { return usage_; }
  bool empty() const { return requests_.empty(); }

  // To the end of the queue. False: `most` wait already, over all workers.
  [[nodiscard]] bool Add(WaitingRequest& request, uint32_t most);
  // Tries the requests in turn, soon.
  void RunSoon();

 private:
  friend class WaitingRequest;
  // What posts from other threads find of us.
  struct Mailbox {
    WaitQueue* queue = nullptr;  // on the worker's thread only; null when that has ended
    std::atomic<bool> posted{false};
  };

  void OnRoom() override;
  void Run();
  void Remove(WaitingRequest& request);

  ClusterSet& set_;
  const std::shared_ptr<config::ClusterUsage> usage_;
  const std::shared_ptr<Mailbox> mailbox_;
  base::IntrusiveList<WaitingRequest> requests_;
  net::MemberTask<WaitQueue, &WaitQueue::Run> run_soon_{*this};
};

}  // namespace headgate::upstream
