#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace headgate::config {

// When an attempt that failed is followed by another. proto/headgate/v1/upstream.proto,
// NextUpstream.
struct RetryPolicy {
  enum Condition : uint16_t {
    kError = 1 << 0,          // no connection, or it broke before the response head was complete
    kTimeout = 1 << 1,        // the same, by time
    kInvalidHeader = 1 << 2,  // the response head is malformed
    kStatus500 = 1 << 3,
    kStatus502 = 1 << 4,
    kStatus503 = 1 << 5,
    kStatus504 = 1 << 6,
    kStatus403 = 1 << 7,
    kStatus404 = 1 << 8,
    kStatus429 = 1 << 9,
    kNonIdempotent =
        1 << 10,  // no condition by itself: whatever the method, though it may have been processed
  };

  uint16_t conditions = kError | kTimeout;
  uint32_t tries = 3;  // attempts in all; 0: no limit
  std::chrono::milliseconds timeout{
      0};  // no attempt is begun later than that after the first; 0: no limit

  bool has(Condition condition) const { return (conditions & condition) != 0; }
  bool operator==(const RetryPolicy&) const = default;
};

// What a route says of it; absent: as the settings say.
struct RetryOverride {
  std::optional<uint16_t> conditions;
  std::optional<uint32_t> tries;
  std::optional<std::chrono::milliseconds> timeout;

  RetryPolicy Over(RetryPolicy general) const {
    // That requests may be processed twice is said for all routes, or for one.
    const auto non_idempotent =
        static_cast<uint16_t>(general.conditions & RetryPolicy::kNonIdempotent);
    if (conditions) general.conditions = static_cast<uint16_t>(*conditions | non_idempotent);
    general.tries = tries.value_or(general.tries);
    general.timeout = timeout.value_or(general.timeout);
    return general;
  }
};

}  // namespace headgate::config
