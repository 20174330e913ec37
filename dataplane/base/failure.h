#pragma once

#include <cstdint>
#include <string_view>

namespace headgate::base {

// Why an exchange or one side of it could not go on. A value; how it is shown (reply, log, metric)
// is decided in one place each.
struct Failure {
  enum class Side : uint8_t { kDownstream, kUpstream, kInternal };
  enum class Kind : uint8_t {
    kNone,
    // either side
    kClosed,    // connection ended in mid-message
    kReset,     // ECONNRESET, RST_STREAM
    kProtocol,  // malformed message
    kTimeout,   // no progress
    kTlsHandshake,
    // downstream
    kHeadTimeout,  // request head not complete in time
    kHeadTooLarge,
    kTargetTooLong,
    kBodyTooLarge,
    // upstream
    kConnectRefused,  // any connect error
    kConnectTimeout,
    kNoEndpoint,     // cluster missing or nothing available
    kOverloaded,     // a limit of ours
    kUpstreamLimit,  // a limit of the cluster's: no room, and none to wait in either
    // internal
    kDraining,
  };
  // May the same request be sent again?
  enum class Retry : uint8_t {
    kNever,
    kIdempotent,  // the upstream may have seen it
    kAlways,      // the upstream has certainly not processed it
  };

  Side side = Side::kInternal;
  Kind kind = Kind::kNone;
  Retry retry = Retry::kNever;
  // Static text for people: what was wrong. Never holds data from the network.
  std::string_view detail;
};

// Short name for metrics and logs, for example "connect_timeout".
std::string_view FailureName(Failure::Kind kind);

}  // namespace headgate::base
