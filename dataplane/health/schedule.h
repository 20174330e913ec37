#pragma once

#include <chrono>
#include <cstdint>

namespace headgate::health {

// When probes of one endpoint are due. Their beginnings are spread over the interval, and each
// pause differs by up to a tenth, so that many endpoints, and many replicas, do not probe in step.
class Schedule {
 public:
  using Duration = std::chrono::milliseconds;

  // `seed` differs between endpoints and processes.
  Schedule(Duration interval, uint64_t seed) : interval_(interval), random_(seed) {}

  // Until the first probe: within one interval.
  Duration First() {
    return Duration(static_cast<int64_t>(Next() % static_cast<uint64_t>(interval_.count() + 1)));
  }

  // From the beginning of one probe to that of the next; the interval on average.
  Duration Pause() {
    const auto tenth = static_cast<uint64_t>(interval_.count() / 10);
    return interval_ - Duration(static_cast<int64_t>(tenth)) +
           Duration(static_cast<int64_t>(Next() % (2 * tenth + 1)));
  }

 private:
  // SplitMix64.
  uint64_t Next() {
    random_ += 0x9e3779b97f4a7c15;
    uint64_t z = random_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  const Duration interval_;
  uint64_t random_;
};

}  // namespace headgate::health
