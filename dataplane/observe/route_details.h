#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "dataplane/observe/counters.h"
#include "dataplane/observe/request_record.h"

// Histograms of a route's requests that are kept only where somebody looks at them: what dashboards made for ingress-nginx
// show beside counts and durations. Bounds are those of ingress-nginx.
namespace headgate::observe {

// Upper bounds in seconds; a last bucket is +Inf, here and below.
inline constexpr std::array<double, 11> kDurationBounds = {.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10};
// In bytes: of requests and responses, and the coarser ones that ingress-nginx has for responses as well.
inline constexpr std::array<double, 10> kLengthBounds = {10, 20, 30, 40, 50, 60, 70, 80, 90, 100};
inline constexpr std::array<double, 7> kSizeBounds = {10, 100, 1e3, 1e4, 1e5, 1e6, 1e7};

inline constexpr size_t kDurationBuckets = kDurationBounds.size() + 1;
inline constexpr size_t kLengthBuckets = kLengthBounds.size() + 1;
inline constexpr size_t kSizeBuckets = kSizeBounds.size() + 1;

size_t DurationBucket(std::chrono::microseconds duration);

template <size_t kBuckets>
struct HistogramCounts {
  std::array<uint64_t, kBuckets> buckets{};  // not cumulated
  uint64_t sum = 0;

  void Add(const HistogramCounts& other) {
    for (size_t i = 0; i < kBuckets; ++i) buckets[i] += other.buckets[i];
    sum += other.sum;
  }
};

struct RouteDetails {
  // Of the last attempt of requests that had one, in microseconds: from its beginning to the end of the response, to the
  // response's head, and until the connection was made, which is 0 for one that was there.
  HistogramCounts<kDurationBuckets> response_time;
  HistogramCounts<kDurationBuckets> header_time;
  HistogramCounts<kDurationBuckets> connect_time;
  HistogramCounts<kLengthBuckets> request_length;    // head and body
  HistogramCounts<kLengthBuckets> response_length;   // body
  HistogramCounts<kSizeBuckets> response_size;       // the same

  void Add(const RouteDetails& other);
};

// One route's, as one worker counts them. Most routes get few requests, or none for long: in 170 bytes there is room for
// 65,535 of them, and only those that get more take 550 bytes besides.
class ShardRouteDetails {
 public:
  ShardRouteDetails() = default;
  ~ShardRouteDetails() { delete many_.load(std::memory_order_relaxed); }
  ShardRouteDetails(const ShardRouteDetails&) = delete;
  ShardRouteDetails& operator=(const ShardRouteDetails&) = delete;

  // The owner's thread only.
  void Count(const RequestRecord& record);
  // Any thread.
  RouteDetails Read() const;

 private:
  // Both histograms of responses in one: all of kLengthBounds, then those of kSizeBounds that are above them.
  static constexpr size_t kResponseBuckets = kLengthBounds.size() + kSizeBounds.size() - 1;

  // Each number is written by one thread and read on any.
  template <typename Number, size_t kBuckets>
  struct Histogram {
    void Observe(size_t bucket, uint64_t value) {
      buckets[bucket].store(static_cast<Number>(buckets[bucket].load(std::memory_order_relaxed) + 1),
                            std::memory_order_relaxed);
      sum.Add(value);
    }
    HistogramCounts<kBuckets> Read() const {
      HistogramCounts<kBuckets> read;
      std::transform(buckets.begin(), buckets.end(), read.buckets.begin(),
                     [](const std::atomic<Number>& count) { return count.load(std::memory_order_relaxed); });
      read.sum = sum.value();
      return read;
    }
    template <typename Other>
    void Take(const Histogram<Other, kBuckets>& other) {
      for (size_t i = 0; i < kBuckets; ++i) buckets[i] = other.buckets[i].load(std::memory_order_relaxed);
      sum.Add(other.sum.value());
    }

    ShardCounter sum;
    std::array<std::atomic<Number>, kBuckets> buckets{};
  };

  template <typename Number>
  struct Histograms {
    void Count(const RequestRecord& record);
    RouteDetails Read() const;

    Histogram<Number, kDurationBuckets> response_time;
    Histogram<Number, kDurationBuckets> header_time;
    Histogram<Number, kDurationBuckets> connect_time;
    Histogram<Number, kLengthBuckets> request_length;
    Histogram<Number, kResponseBuckets> response_length;
  };

  void Widen();

  Histograms<uint16_t> few_;  // as they are when `many_` takes over
  uint16_t counted_ = 0;      // in few_
  std::atomic<Histograms<uint64_t>*> many_{nullptr};  // owned; null until few_ is full
};

}  // namespace headgate::observe
