#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

namespace headgate::balance {

using TimePoint = std::chrono::steady_clock::time_point;

// Tells the endpoints of one worker apart, those that are gone included.
using PeerId = uint64_t;

// An endpoint as a balancer sees it. Lives in what represents the endpoint, keeps its place in
// memory, and outlives its being handed to a balancer.
struct Peer {
  explicit Peer(PeerId peer_id) : id(peer_id) {}
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  const PeerId id;

  // What decides whether and how often it is picked. After a change the balancer must be reset.
  uint32_t weight = 1;  // relative; 0 counts as 1
  float share =
      1;  // of its weight that it gets now, above 0 and at most 1: an endpoint that starts slowly
  bool draining = false;  // takes requests while no other does
  bool backup = false;    // takes requests while nobody of the others is left at all
  bool available = true;  // false: left alone, unless all are so

  // Change at any time.
  uint32_t active = 0;  // attempts under way
  float cost = -1;  // what an answer takes lately, in microseconds (ewma.h); negative: not known
  TimePoint cost_at;
};

// What a pick depends on besides the endpoints.
struct PickContext {
  // Endpoints that have had their try in this exchange; passed over while there are others.
  std::span<const PeerId> tried = {};
  // For policies that go by a hash; of equal ones the same endpoint comes out.
  std::optional<uint32_t> hash = std::nullopt;
  // The hash is of a session that has begun: an endpoint that drains keeps it.
  bool keeps_session = false;
  // Attempts under way at all endpoints, for the bound of PolicySpec.
  uint32_t active_total = 0;
  TimePoint now = {};
};

inline bool WasTried(const PickContext& context, const Peer& peer) {
  return std::find(context.tried.begin(), context.tried.end(), peer.id) != context.tried.end();
}

}  // namespace headgate::balance
