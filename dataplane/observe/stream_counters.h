#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "dataplane/observe/counters.h"

namespace headgate::observe {

// What is counted of connections that are passed on as they are. In the order of
// CounterId::kPassthroughConnections and on.
enum class StreamCount : uint8_t {
  kConnections,
  kActive,  // level
  kBytesFromClients,
  kBytesToClients,
  kFailures,  // of the connections, those with no endpoint to go to
  kTimeouts,  // closed because nothing moved
  kCount,
};

// Those of one TCP service and one worker; written on the worker's thread, read on any. Alone on
// its cache lines.
class alignas(64) StreamCounters {
 public:
  ShardCounter& operator[](StreamCount id) { return counters_[static_cast<size_t>(id)]; }
  const ShardCounter& operator[](StreamCount id) const {
    return counters_[static_cast<size_t>(id)];
  }

 private:
  std::array<ShardCounter, static_cast<size_t>(StreamCount::kCount)> counters_;
};

}  // namespace headgate::observe
