#include "dataplane/observe/route_details.h"

#include <algorithm>

namespace headgate::observe {
namespace {

constexpr auto kDurationBoundsInMicroseconds = [] {
  std::array<int64_t, kDurationBounds.size()> bounds{};
  for (size_t i = 0; i < bounds.size(); ++i)
    bounds[i] = static_cast<int64_t>(kDurationBounds[i] * 1e6 + .5);
  return bounds;
}();

// kLengthBounds are ten times their place.
size_t LengthBucket(uint64_t bytes) {
  if (bytes > 100) return kLengthBounds.size();
  return bytes == 0 ? 0 : static_cast<size_t>(bytes - 1) / 10;
}

// As ShardRouteDetails has them.
size_t ResponseBucket(uint64_t bytes) {
  size_t bucket = LengthBucket(bytes);
  for (uint64_t bound = 100; bound < 10'000'000 && bytes > bound; bound *= 10) {
    if (bytes > bound * 10) ++bucket;
  }
  return bucket;
}

uint64_t Microseconds(std::chrono::microseconds time) {
  return static_cast<uint64_t>(std::max<int64_t>(time.count(), 0));
}

}  // namespace

size_t MethodBucket(std::string_view method) {
  const auto found = std::find(kMethodLabels.begin(), kMethodLabels.end() - 1, method);
  return static_cast<size_t>(found - kMethodLabels.begin());
}

size_t DurationBucket(std::chrono::microseconds duration) {
  size_t bucket = 0;
  while (bucket < kDurationBounds.size() &&
         duration.count() > kDurationBoundsInMicroseconds[bucket])
    ++bucket;
  return bucket;
}

void RouteDetails::Add(const RouteDetails& other) {
  for (size_t i = 0; i < requests.size(); ++i) {
    for (size_t j = 0; j < kStatusClasses; ++j) requests[i][j] += other.requests[i][j];
  }
  response_time.Add(other.response_time);
  header_time.Add(other.header_time);
  connect_time.Add(other.connect_time);
  request_length.Add(other.request_length);
  response_length.Add(other.response_length);
  response_size.Add(other.response_size);
}

template <typename Number>
void ShardRouteDetails::Histograms<Number>::Count(const RequestRecord& record, size_t method,
                                                  size_t status_class) {
  if (method == 0) gets.Add(status_class);
  request_length.Observe(LengthBucket(record.request_bytes), record.request_bytes);
  response_length.Observe(ResponseBucket(record.response_body_bytes), record.response_body_bytes);
  if (record.attempt_count == 0) return;
  const AttemptRecord& last = record.attempt_storage[record.attempt_count - 1];
  const auto observe = [](auto& histogram, std::chrono::microseconds time) {
    histogram.Observe(DurationBucket(time), Microseconds(time));
  };
  const bool answered = last.header_time.count() >= 0;
  observe(response_time, last.response_time);
  if (answered) observe(header_time, last.header_time);
  if (answered || last.connect_time.count() >= 0) observe(connect_time, last.connect_time);
}

template <typename Number>
RouteDetails ShardRouteDetails::Histograms<Number>::Read() const {
  RouteDetails read;
  read.requests[0] = gets.Read();
  read.response_time = response_time.Read();
  read.header_time = header_time.Read();
  read.connect_time = connect_time.Read();
  read.request_length = request_length.Read();

  const HistogramCounts<kResponseBuckets> responses = response_length.Read();
  read.response_length.sum = read.response_size.sum = responses.sum;
  for (size_t i = 0; i < responses.buckets.size(); ++i) {
    read.response_length.buckets[std::min(i, kLengthBuckets - 1)] += responses.buckets[i];
    const size_t size = i == 0 ? 0 : i < kLengthBounds.size() ? 1 : i - kLengthBounds.size() + 2;
    read.response_size.buckets[size] += responses.buckets[i];
  }
  return read;
}

void ShardRouteDetails::Count(const RequestRecord& record) {
  const size_t method = MethodBucket(record.method);
  const size_t status_class = StatusClass(record.status);
  counts_.Count(record, method, status_class);
  if (method == 0) return;
  OtherMethods* counts = other_methods_.load(std::memory_order_relaxed);
  if (counts == nullptr) {
    counts = new OtherMethods();
    other_methods_.store(counts, std::memory_order_release);
  }
  counts->Add((method - 1) * kStatusClasses + status_class);
}

RouteDetails ShardRouteDetails::Read() const {
  RouteDetails read = counts_.Read();
  if (const OtherMethods* const counts = other_methods_.load(std::memory_order_acquire)) {
    const auto others = counts->Read();
    for (size_t i = 0; i < others.size(); ++i)
      read.requests[1 + i / kStatusClasses][i % kStatusClasses] = others[i];
  }
  return read;
}

}  // namespace headgate::observe
