#pragma once

#include <optional>

#include "controller/state/cluster_state.h"
#include "controller/status/peers.h"
#include "controller/status/status_writer.h"

namespace headgate::status {

// Tells the writer what the cluster's state says of our Ingresses and of where clients reach us.
//
// Thread: the owner's of the state.
class StatusFeed {
 public:
  struct Options {
    AddressList given;                         // not empty: they and nothing else
    std::optional<kube::ObjectKey> published;  // the Service that leads to data planes
    // Without either, somebody else tells the writer the addresses.
  };

  // `writer` and `peers` outlive the feed.
  StatusFeed(Options options, StatusWriter& writer, Peers& peers)
      : options_(std::move(options)), writer_(writer), peers_(peers) {}

  // `changes`: since the call before; at the first call, since the beginning.
  void Take(const state::ClusterState& state, const state::Changes& changes);

 private:
  // Nothing: there is no such Service, which may come back.
  std::optional<AddressList> Addresses(const state::ClusterState& state) const;

  const Options options_;
  StatusWriter& writer_;
  Peers& peers_;
  bool first_ = true;
};

}  // namespace headgate::status
