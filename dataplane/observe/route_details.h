#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dataplane/observe/counters.h"
#include "dataplane/observe/request_record.h"
#include "dataplane/observe/small_counts.h"

// Counts and histograms of a route's requests that are kept only where somebody looks at them: what
// dashboards made for ingress-nginx show beside counts and durations. Bounds are those of
// ingress-nginx.
namespace headgate::observe {

// Upper bounds in seconds; a last bucket is +Inf, here and below.
inline constexpr std::array<double, 11> kDurationBounds = {.005, .01, .025, .05, .1, .25,
                                                           .5,   1,   2.5,  5,   10};
// In bytes: of requests and responses, and the coarser ones that ingress-nginx has for responses as
// well.
inline constexpr std::array<double, 10> kLengthBounds = {10, 20, 30, 40, 50, 60, 70, 80, 90, 100};
inline constexpr std::array<double, 7> kSizeBounds = {10, 100, 1e3, 1e4, 1e5, 1e6, 1e7};

// Methods that are told apart, in the order of their buckets; others are counted together.
inline constexpr std::array<std::string_view, 8> kMethodLabels = {
    "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "OTHER"};
size_t MethodBucket(std::string_view method);
// 1xx to 5xx at their first digit; at 0 what is none of them.
inline constexpr size_t kStatusClasses = 6;
inline size_t StatusClass(unsigned status) {
  return status / 100 < kStatusClasses ? status / 100 : 0;
}

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
  std::array<std::array<uint64_t, kStatusClasses>, kMethodLabels.size()>
      requests{};  // by method and class
  // Of the last attempt of requests that had one, in microseconds: from its beginning to the end of
  // the response, to the response's head, and until the connection was made, which is 0 for one
  // that was there.
  HistogramCounts<kDurationBuckets> response_time;
  HistogramCounts<kDurationBuckets> header_time;
  HistogramCounts<kDurationBuckets> connect_time;
  HistogramCounts<kLengthBuckets> request_length;   // head and body
  HistogramCounts<kLengthBuckets> response_length;  // body
  HistogramCounts<kSizeBuckets> response_size;      // the same

  void Add(const RouteDetails& other);
};

// One route's, as one worker counts them.
class ShardRouteDetails {
 public:
  ShardRouteDetails() = default;
  ~ShardRouteDetails() { delete other_methods_.load(std::memory_order_relaxed); }
  ShardRouteDetails(const ShardRouteDetails&) = delete;
  ShardRouteDetails& operator=(const ShardRouteDetails&) = delete;

  // The owner's thread only.
  void Count(const RequestRecord& record);
  // Any thread.
  RouteDetails Read() const;

 private:
  // Both histograms of responses in one: all of kLengthBounds, then those of kSizeBounds that are
  // above them.
  static constexpr size_t kResponseBuckets = kLengthBounds.size() + kSizeBounds.size() - 1;

  template <typename Number, size_t kBuckets>
  struct Histogram {
    void Observe(size_t bucket, uint64_t value) {
      buckets.Add(bucket);
      sum.Add(value);
    }
    HistogramCounts<kBuckets> Read() const { return {buckets.Read(), sum.value()}; }
    template <typename Other>
    void Take(const Histogram<Other, kBuckets>& other) {
      buckets.Take(other.buckets);
      sum.Add(other.sum.value());
    }

    ShardCounter sum;
    Buckets<Number, kBuckets> buckets;
  };

  template <typename Number>
  struct Histograms {
    void Count(const RequestRecord& record, size_t method, size_t status_class);
    RouteDetails Read() const;
    template <typename Other>
    void Take(const Histograms<Other>& other) {
      response_time.Take(other.response_time);
      header_time.Take(other.header_time);
      connect_time.Take(other.connect_time);
      request_length.Take(other.request_length);
      response_length.Take(other.response_length);
      gets.Take(other.gets);
    }

    Histogram<Number, kDurationBuckets> response_time;
    Histogram<Number, kDurationBuckets> header_time;
    Histogram<Number, kDurationBuckets> connect_time;
    Histogram<Number, kLengthBuckets> request_length;
    Histogram<Number, kResponseBuckets> response_length;
    Buckets<Number, kStatusClasses> gets;  // requests with the first method
  };
  // Requests with the others, as in RouteDetails.
  using OtherMethods = Buckets<uint64_t, (kMethodLabels.size() - 1) * kStatusClasses>;

  SmallCounts<Histograms> counts_;
  std::atomic<OtherMethods*> other_methods_{
      nullptr};  // owned; null until there is such a request: most routes see none
};

}  // namespace headgate::observe
