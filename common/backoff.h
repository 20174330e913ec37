// Growing, jittered pauses between attempts that fail.
#pragma once

#include <cstdint>
#include <random>

#include "absl/time/time.h"

namespace headgate {

struct BackoffOptions {
  absl::Duration initial = absl::Milliseconds(200);
  absl::Duration max = absl::Seconds(30);
  double multiplier = 2.0;
  // Each pause is taken evenly from [pause * (1 - jitter), pause]. Between 0 and 1.
  double jitter = 0.5;
};

// Thread: one owner.
class Backoff {
 public:
  // The same seed gives the same pauses.
  Backoff(const BackoffOptions& options, uint64_t seed);

  // The pause to take now; the next one will be longer, up to the maximum.
  absl::Duration Next();
  // After a success: the next failure starts over.
  void Reset() { pause_ = options_.initial; }

 private:
  const BackoffOptions options_;
  absl::Duration pause_;
  std::mt19937_64 random_;
};

// A seed for production use, different in every process and call.
uint64_t RandomSeed();

}  // namespace headgate
