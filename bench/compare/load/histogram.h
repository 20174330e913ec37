// Latencies in buckets of at most 1.6 % width: constant memory and no work per sample beyond an
// increment.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace headgate::bench {

class LatencyHistogram {
 public:
  void Record(uint64_t nanoseconds) {
    ++buckets_[IndexOf(nanoseconds)];
    ++count_;
  }

  // The upper end, in nanoseconds, of the bucket that holds the q-quantile (0 < q <= 1). 0 without
  // samples.
  uint64_t Quantile(double q) const {
    if (count_ == 0) return 0;
    const auto rank = static_cast<uint64_t>(q * static_cast<double>(count_ - 1));
    uint64_t seen = 0;
    for (size_t i = 0; i < buckets_.size(); ++i) {
      seen += buckets_[i];
      if (seen > rank) return UpperEnd(i);
    }
    return 0;
  }

  uint64_t count() const { return count_; }

 private:
  // Values below 64 have a bucket each; above, every power of two is cut into 64.
  static constexpr int kSubBits = 6;
  static constexpr uint64_t kSub = uint64_t{1} << kSubBits;

  static size_t IndexOf(uint64_t value) {
    if (value < kSub) return static_cast<size_t>(value);
    const int shift = std::bit_width(value) - 1 - kSubBits;
    return (static_cast<size_t>(shift) + 1) * kSub + static_cast<size_t>((value >> shift) - kSub);
  }
  static uint64_t UpperEnd(size_t index) {
    if (index < kSub) return index;
    const size_t shift = index / kSub - 1;
    return ((kSub + index % kSub + 1) << shift) - 1;
  }

  std::array<uint64_t, kSub*(64 - kSubBits + 1)> buckets_{};
  uint64_t count_ = 0;
};

}  // namespace headgate::bench
