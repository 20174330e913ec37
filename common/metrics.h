// A registry of metrics and its rendering as Prometheus text exposition format 0.0.4.
//
// Two ways in: instruments (Counter, Gauge, Histogram) that the registry owns, and collectors that
// write samples at the time of a scrape, for values kept elsewhere (sharded per worker, or derived
// from state).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"

namespace headgate {

// Name and value, in the order to be shown. Values may hold anything.
using MetricLabels = std::vector<std::pair<std::string, std::string>>;

// Thread: any, for all three instruments.
class Counter {
 public:
  void Add(uint64_t by = 1) { value_.fetch_add(by, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

class Gauge {
 public:
  void Set(double value) { value_.store(value, std::memory_order_relaxed); }
  void Add(double by) { value_.fetch_add(by, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

class Histogram {
 public:
  // `bounds`: the upper, inclusive bounds of the buckets in rising order; a last one, +Inf, is
  // added.
  explicit Histogram(std::vector<double> bounds);
  void Observe(double value);

  const std::vector<double>& bounds() const { return bounds_; }
  // Number of observations per bucket (not cumulated), the last being +Inf.
  std::vector<uint64_t> counts() const;
  double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  const std::vector<double> bounds_;
  std::vector<std::atomic<uint64_t>> counts_;
  std::atomic<double> sum_{0};
};

enum class MetricType : uint8_t { kCounter, kGauge, kHistogram };

// Writes the text format. Samples must follow their family; a family must be written in one piece.
class MetricsWriter {
 public:
  explicit MetricsWriter(std::string* out) : out_(out) {}

  // HELP and TYPE lines. Names are literals of ours: [a-zA-Z_:][a-zA-Z0-9_:]*.
  void Family(std::string_view name, MetricType type, std::string_view help);
  void Sample(const MetricLabels& labels, double value);
  void Sample(const MetricLabels& labels, uint64_t value);
  // `counts` has one element more than `bounds` and is not cumulated.
  void HistogramSample(const MetricLabels& labels, std::span<const double> bounds,
                       std::span<const uint64_t> counts, double sum);

 private:
  void SetLabels(const MetricLabels& labels);
  void Line(std::string_view suffix, std::string_view bound, std::string_view value);

  std::string* const out_;
  std::string name_;
  std::string labels_;  // of the sample at hand, as text
};

// Owns instruments for its own lifetime. Asking again for the same name and labels gives the same
// instrument; the same name with another type is a broken invariant. Look instruments up once and
// keep the reference: a look-up locks. Thread: any.
class MetricsRegistry {
 public:
  MetricsRegistry() = default;
  MetricsRegistry(const MetricsRegistry&) = delete;
  MetricsRegistry& operator=(const MetricsRegistry&) = delete;

  Counter& AddCounter(std::string_view name, std::string_view help, MetricLabels labels = {});
  Gauge& AddGauge(std::string_view name, std::string_view help, MetricLabels labels = {});
  Histogram& AddHistogram(std::string_view name, std::string_view help, std::vector<double> bounds,
                          MetricLabels labels = {});
  // A gauge whose value is asked for at each scrape, on the scraping thread. The callback must stay
  // valid as long as the registry and must not call the registry.
  void AddGaugeCallback(std::string_view name, std::string_view help, MetricLabels labels,
                        std::function<double()> value);
  // Writes whole families of its own at each scrape, with the same rules.
  void AddCollector(std::function<void(MetricsWriter&)> collect);

  // Everything, families in the order of their names, collectors after them.
  std::string Render() const;

  // Content-Type of what Render gives.
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

 private:
  using Instrument = std::variant<std::unique_ptr<Counter>, std::unique_ptr<Gauge>,
                                  std::unique_ptr<Histogram>, std::function<double()>>;
  struct Series {
    MetricLabels labels;
    Instrument instrument;
  };
  struct Family {
    MetricType type;
    std::string help;
    std::vector<Series> series;
  };

  Instrument& FindOrAdd(std::string_view name, std::string_view help, MetricType type,
                        MetricLabels labels, const std::function<Instrument()>& make)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable std::mutex mutex_;
  std::map<std::string, Family, std::less<>> families_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::function<void(MetricsWriter&)>> collectors_ ABSL_GUARDED_BY(mutex_);
};

// Bounds for durations in seconds, from 1 ms to 60 s.
std::vector<double> LatencyBounds();

}  // namespace headgate
