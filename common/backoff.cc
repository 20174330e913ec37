#include "common/backoff.h"

#include <algorithm>

namespace headgate {

Backoff::Backoff(const BackoffOptions& options, uint64_t seed)
    : options_(options), pause_(options.initial), random_(seed) {}

absl::Duration Backoff::Next() {
  std::uniform_real_distribution<double> factor(1.0 - options_.jitter, 1.0);
  const absl::Duration pause = pause_ * factor(random_);
  pause_ = std::min(pause_ * options_.multiplier, options_.max);
  return pause;
}

uint64_t RandomSeed() {
  std::random_device device;
  return (static_cast<uint64_t>(device()) << 32) | device();
}

}  // namespace headgate
