#include "common/metrics.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "common/check.h"
#include "common/strings.h"
#include "common/text.h"

namespace headgate {
namespace {

// The shortest text that reads back as the same number.
std::string FormatNumber(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char buffer[32];
  const std::to_chars_result end = std::to_chars(buffer, buffer + sizeof buffer, value);
  return std::string(buffer, end.ptr);
}

void AppendEscaped(std::string& out, std::string_view text, bool quotes) {
  std::string valid;
  if (!IsValidUtf8(text)) {
    AppendUtf8(valid, text);
    text = valid;
  }
  const std::string_view special = quotes ? "\n\\\"" : "\n\\";
  for (size_t at; (at = text.find_first_of(special)) != std::string_view::npos;
       text.remove_prefix(at + 1)) {
    out.append(text.substr(0, at));
    out.append({'\\', text[at] == '\n' ? 'n' : text[at]});
  }
  out.append(text);
}

bool IsMetricName(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == ':';
  });
}

std::string_view TypeName(MetricType type) {
  switch (type) {
    case MetricType::kCounter: return "counter";
    case MetricType::kGauge: return "gauge";
    case MetricType::kHistogram: return "histogram";
  }
  return "untyped";
}

}  // namespace

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {
  HEADGATE_CHECK(std::is_sorted(bounds_.begin(), bounds_.end()));
}

void Histogram::Observe(double value) {
  const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  counts_[static_cast<size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

std::vector<uint64_t> Histogram::counts() const {
  std::vector<uint64_t> counts;
  counts.reserve(counts_.size());
  for (const std::atomic<uint64_t>& count : counts_) {
    counts.push_back(count.load(std::memory_order_relaxed));
  }
  return counts;
}

void MetricsWriter::Family(std::string_view name, MetricType type, std::string_view help) {
  HEADGATE_CHECK(IsMetricName(name), name);
  name_ = std::string(name);
  StrAppend(out_, "# HELP ", name, " ");
  AppendEscaped(*out_, help, /*quotes=*/false);
  StrAppend(out_, "\n# TYPE ", name, " ", TypeName(type), "\n");
}

void MetricsWriter::Sample(const MetricLabels& labels, double value) {
  SetLabels(labels);
  Line("", {}, FormatNumber(value));
}

void MetricsWriter::Sample(const MetricLabels& labels, uint64_t value) {
  SetLabels(labels);
  Line("", {}, std::to_string(value));
}

void MetricsWriter::HistogramSample(const MetricLabels& labels, std::span<const double> bounds,
                                    std::span<const uint64_t> counts, double sum) {
  HEADGATE_CHECK(counts.size() == bounds.size() + 1);
  SetLabels(labels);
  uint64_t cumulated = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    cumulated += counts[i];
    Line("_bucket", i < bounds.size() ? FormatNumber(bounds[i]) : "+Inf",
         std::to_string(cumulated));
  }
  Line("_sum", {}, FormatNumber(sum));
  Line("_count", {}, std::to_string(cumulated));
}

void MetricsWriter::SetLabels(const MetricLabels& labels) {
  labels_.clear();
  for (const auto& [name, text] : labels) {
    if (!labels_.empty()) labels_.push_back(',');
    labels_.append(name).append("=\"");
    AppendEscaped(labels_, text, /*quotes=*/true);
    labels_.push_back('"');
  }
}

void MetricsWriter::Line(std::string_view suffix, std::string_view bound, std::string_view value) {
  HEADGATE_CHECK(!name_.empty(), "a sample before its family");
  out_->append(name_).append(suffix);
  if (!labels_.empty() || !bound.empty()) {
    out_->append("{").append(labels_);
    if (!bound.empty()) {
      out_->append(labels_.empty() ? "le=\"" : ",le=\"").append(bound).append("\"");
    }
    out_->push_back('}');
  }
  out_->push_back(' ');
  out_->append(value).append("\n");
}

MetricsRegistry::Instrument& MetricsRegistry::FindOrAdd(std::string_view name,
                                                        std::string_view help, MetricType type,
                                                        MetricLabels labels,
                                                        const std::function<Instrument()>& make) {
  auto family = families_.find(name);
  if (family == families_.end()) {
    family = families_.emplace(name, Family{type, std::string(help), {}}).first;
  }
  HEADGATE_CHECK(family->second.type == type, name);
  std::vector<Series>& series = family->second.series;
  for (Series& existing : series) {
    if (existing.labels == labels) return existing.instrument;
  }
  series.push_back({std::move(labels), make()});
  return series.back().instrument;
}

Counter& MetricsRegistry::AddCounter(std::string_view name, std::string_view help,
                                     MetricLabels labels) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return *std::get<std::unique_ptr<Counter>>(FindOrAdd(name, help, MetricType::kCounter,
                                                       std::move(labels),
                                                       [] { return std::make_unique<Counter>(); }));
}

Gauge& MetricsRegistry::AddGauge(std::string_view name, std::string_view help,
                                 MetricLabels labels) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return *std::get<std::unique_ptr<Gauge>>(FindOrAdd(
      name, help, MetricType::kGauge, std::move(labels), [] { return std::make_unique<Gauge>(); }));
}

Histogram& MetricsRegistry::AddHistogram(std::string_view name, std::string_view help,
                                         std::vector<double> bounds, MetricLabels labels) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return *std::get<std::unique_ptr<Histogram>>(
      FindOrAdd(name, help, MetricType::kHistogram, std::move(labels),
                [&] { return std::make_unique<Histogram>(std::move(bounds)); }));
}

void MetricsRegistry::AddGaugeCallback(std::string_view name, std::string_view help,
                                       MetricLabels labels, std::function<double()> value) {
  const std::lock_guard<std::mutex> lock(mutex_);
  FindOrAdd(name, help, MetricType::kGauge, std::move(labels),
            [&] { return Instrument(std::move(value)); });
}

void MetricsRegistry::AddCollector(std::function<void(MetricsWriter&)> collect) {
  const std::lock_guard<std::mutex> lock(mutex_);
  collectors_.push_back(std::move(collect));
}

std::string MetricsRegistry::Render() const {
  std::string out;
  MetricsWriter writer(&out);
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [name, family] : families_) {
    writer.Family(name, family.type, family.help);
    for (const Series& series : family.series) {
      if (auto* counter = std::get_if<std::unique_ptr<Counter>>(&series.instrument)) {
        writer.Sample(series.labels, (*counter)->value());
      } else if (auto* gauge = std::get_if<std::unique_ptr<Gauge>>(&series.instrument)) {
        writer.Sample(series.labels, (*gauge)->value());
      } else if (auto* histogram = std::get_if<std::unique_ptr<Histogram>>(&series.instrument)) {
        writer.HistogramSample(series.labels, (*histogram)->bounds(), (*histogram)->counts(),
                               (*histogram)->sum());
      } else {
        writer.Sample(series.labels, std::get<std::function<double()>>(series.instrument)());
      }
    }
  }
  for (const auto& collect : collectors_) collect(writer);
  return out;
}

std::vector<double> LatencyBounds() {
  return {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
}

}  // namespace headgate
