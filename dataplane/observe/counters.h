#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace headgate::observe {

// A number that one thread changes and any thread reads: no locked instruction on the hot path.
class ShardCounter {
 public:
  // Owner thread only.
  void Add(uint64_t by = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
  // For levels (open connections). Owner thread only.
  void Subtract(uint64_t by = 1) {
    value_.store(value_.load(std::memory_order_relaxed) - by, std::memory_order_relaxed);
  }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// What a worker counts beside requests by route.
enum class CounterId : uint8_t {
  kDownstreamConnections,         // accepted
  kDownstreamConnectionsActive,   // level
  kDownstreamConnectionsRefused,  // closed at once: too many
  kDownstreamAcceptFailures,      // out of descriptors or memory
  kDownstreamRequests,            // heads read, refused ones included
  kDownstreamRequestsActive,      // level
  kDownstreamBadRequests,         // refused by the codec
  kDownstreamTimeouts,
  kDownstreamResets,  // client gone in mid-exchange
  kDownstreamBytesRead,
  kDownstreamBytesWritten,
  kDownstreamBytesPiped,           // of these, bytes of bodies that never left the kernel
  kDownstreamProxyHeaderFailures,  // PROXY protocol: missing, malformed or late
  kDownstreamTlsFailures,
  kDownstreamTlsHandshakes,   // completed
  kDownstreamTlsResumptions,  // of these, of an earlier session
  kDownstreamMisdirected,     // 421: other rules for client certificates than in the handshake
  kDownstreamClientCertificatesRefused,
  kHttp2Connections,      // client connections that speak HTTP/2
  kHttp2Streams,          // begun by clients
  kHttp2StreamResets,     // of these, ended by an RST_STREAM of either side
  kHttp2StalledStreams,   // of these, because the client took nothing for too long
  kHttp2RefusedRequests,  // of these, whose head is against the protocol: they are no requests
  kHttp2AbuseResets,  // connections ended because of what the client did too often: http2::Abuse,
                      // in its order
  kHttp2AbuseHeaders,
  kHttp2AbuseSettings,
  kHttp2AbusePings,
  kHttp2AbuseWindowUpdates,
  kHttp2AbusePriorities,
  kHttp2AbuseEmptyData,
  kHttp2AbuseUnknownFrames,
  kUpstreamConnections,        // made
  kUpstreamConnectionsActive,  // level
  kUpstreamConnectFailures,
  kUpstreamConnectTimeouts,
  kUpstreamTlsFailures,          // handshakes, certificates that were not accepted included
  kUpstreamTlsResumptions,       // connections that resumed an earlier session
  kUpstreamRequests,             // attempts whose head was sent
  kUpstreamReuses,               // of these, on a connection that had served before
  kUpstreamHttp2Connections,     // of those made
  kUpstreamHttp2Streams,         // begun
  kUpstreamHttp2StreamsRefused,  // by the upstream, unprocessed
  kUpstreamRetries,              // attempts after the first
  kUpstreamRetriesOverBudget,    // not made, because there had been too many
  kUpstreamTimeouts,
  kUpstreamResets,
  kUpstreamProtocolErrors,
  kUpstreamEjections,  // endpoints left alone for a time because of what requests met
  kUpstreamEjected,    // level: of these, the ones that are so now, once for each worker
  kUpstreamBytesRead,
  kUpstreamBytesWritten,
  kUpstreamBytesPiped,      // of these, bytes of bodies that never left the kernel
  kTunnels,                 // upgrades that an upstream accepted
  kTunnelsActive,           // level
  kTunnelBytesFromClients,  // of the upgraded protocol
  kTunnelBytesToClients,
  kTunnelTimeouts,                // closed because nothing moved
  kPassthroughConnections,        // TLS connections passed on unopened
  kPassthroughConnectionsActive,  // level
  kPassthroughBytesFromClients,
  kPassthroughBytesToClients,
  kPassthroughFailures,  // of these, with no endpoint to go to
  kPassthroughTimeouts,  // closed because nothing moved
  kAccessLogDropped,
  kCount,
};

// Prometheus name without prefix, "_total" included where it is a counter.
std::string_view CounterName(CounterId id);
// True for values that go down as well.
bool IsLevel(CounterId id);

// One worker's counters. Written on the worker's thread, read on any.
class CounterShard {
 public:
  ShardCounter& operator[](CounterId id) { return counters_[static_cast<size_t>(id)]; }
  const ShardCounter& operator[](CounterId id) const { return counters_[static_cast<size_t>(id)]; }

 private:
  std::array<ShardCounter, static_cast<size_t>(CounterId::kCount)> counters_;
};

}  // namespace headgate::observe
