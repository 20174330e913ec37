#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "dataplane/net/timer_wheel.h"

namespace headgate::http2 {

// What a peer can do too often. Each is cheap for who sends it and costs who receives it.
enum class Abuse : uint8_t {
  kResets,    // streams begun and given up, by RST_STREAM or by errors that make us reset ("rapid
              // reset")
  kHeaders,   // header blocks without end: CONTINUATION frames, or fields far beyond the limits
  kSettings,  // each wants an answer
  kPings,     // each wants an answer
  kWindowUpdates,  // beyond what the bytes we have sent can explain
  kPriorities,
  kEmptyData,      // DATA frames without data or end
  kUnknownFrames,  // frames of other types
};
inline constexpr size_t kAbuses = 8;

// Counts what one peer does on one connection. A value of a few bytes.
//
// Each kind has an allowance that refills with time, so a connection may live and be busy for days;
// what an honest peer does in bursts (a browser that leaves a page cancels all its streams) fits
// into it.
class AbuseGuard {
 public:
  struct Allowance {
    uint16_t burst;
    uint16_t per_second;
  };
  static constexpr std::array<Allowance, kAbuses> kAllowances = {{
      {500, 50},    // kResets
      {1, 0},       // kHeaders: the first is enough
      {50, 2},      // kSettings
      {200, 20},    // kPings
      {2000, 100},  // kWindowUpdates
      {1000, 50},   // kPriorities
      {200, 10},    // kEmptyData
      {200, 10},    // kUnknownFrames
  }};

  explicit AbuseGuard(net::TimePoint now);

  // It happened once more. False: too often, the connection should end.
  [[nodiscard]] bool Count(Abuse abuse, net::TimePoint now);
  // A DATA frame was sent, which the peer may answer with window updates for the stream and for the
  // connection.
  void CreditWindowUpdates();

 private:
  void Refill(net::TimePoint now);

  std::array<uint16_t, kAbuses> left_;
  net::TimePoint refilled_;
};

}  // namespace headgate::http2
