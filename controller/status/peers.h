// Whether this controller is the last one of its Deployment.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "controller/state/cluster_state.h"

namespace headgate::status {

// Reads it from the EndpointSlices of the Services that lead to our own pod, which we watch anyway:
// pods themselves need not be read. A pod that is being deleted is marked there as terminating.
//
// Thread: Update one; AwaitLast any.
class Peers {
 public:
  // `pod`: ours; empty: we run in none, and are the last one always.
  Peers(std::string ns, std::string pod) : ns_(std::move(ns)), pod_(std::move(pod)) {}

  // Takes in what changed. `services`: whose endpoints are others than before.
  void Update(const state::ClusterState& state, const state::KeySet& services);

  // For when we are told to stop. Waits at most `limit` until no pod is seen that stays, neither
  // ours nor another: those that stop with us are seen to one by one, about a second apart. True:
  // none stays.
  bool AwaitLast(const Clock& clock, absl::Duration limit);

 private:
  const std::string ns_;
  const std::string pod_;

  std::mutex mutex_;
  std::condition_variable changed_;
  // Of each Service that leads to us, or did.
  struct Seen {
    bool stays = false;   // we are there, and not terminating
    bool others = false;  // somebody else is
  };
  std::map<kube::ObjectKey, Seen> services_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace headgate::status
