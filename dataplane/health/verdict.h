#pragma once

#include <cstdint>

namespace headgate::health {

// What the probes of one endpoint add up to. An endpoint is healthy until it has failed: one that
// has just come is ready in the eyes of Kubernetes, and to keep requests from it until it is probed
// would make a rolling update a gap.
class Verdict {
 public:
  bool healthy() const { return healthy_; }

  // Takes a probe in; true when the verdict has changed. `rise` successes in a row make it healthy,
  // `fall` failures in a row unhealthy; each at least 1.
  bool OnProbe(bool success, uint32_t rise, uint32_t fall) {
    if (success == healthy_) {
      streak_ = 0;
      return false;
    }
    if (++streak_ < (healthy_ ? fall : rise)) return false;
    healthy_ = success;
    streak_ = 0;
    return true;
  }

 private:
  bool healthy_ = true;
  uint32_t streak_ = 0;  // probes in a row that speak against the verdict
};

}  // namespace headgate::health
