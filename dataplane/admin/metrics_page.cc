#include "dataplane/admin/metrics_page.h"

#include <array>
#include <cstdint>
#include <span>
#include <utility>

#include "dataplane/admin/process_metrics.h"

namespace headgate::admin {
namespace {

using observe::RouteCounters;
using observe::RouteDetails;
using observe::RouteLabels;

MetricLabels Labels(const RouteLabels& route) {
  const auto text = [](std::string_view label) { return std::string(label); };
  return {{"host", text(route.host)},
          {"namespace", text(route.ns)},
          {"ingress", text(route.ingress)},
          {"service", text(route.service)},
          {"service_port", text(route.service_port)},
          {"path", text(route.path)}};
}

void WriteCounters(const worker::WorkerPool& workers, MetricsWriter& out) {
  for (size_t i = 0; i < static_cast<size_t>(observe::CounterId::kCount); ++i) {
    const auto id = static_cast<observe::CounterId>(i);
    const std::string name = "headgate_" + std::string(observe::CounterName(id));
    out.Family(name, observe::IsLevel(id) ? MetricType::kGauge : MetricType::kCounter,
               "Sum over all workers.");
    out.Sample({}, workers.Sum(id));
  }
  out.Family("headgate_workers", MetricType::kGauge, "Worker threads.");
  out.Sample({}, static_cast<uint64_t>(workers.size()));
  out.Family("headgate_spilled_bytes", MetricType::kGauge, "Bytes of bodies held on disk now.");
  out.Sample({}, workers.spilled_bytes());
}

void WriteProcess(MetricsWriter& out) {
  const ProcessUse use = ReadProcessUse();
  out.Family("process_cpu_seconds_total", MetricType::kCounter, "CPU time used, user and system.");
  out.Sample({}, use.cpu_seconds);
  out.Family("process_resident_memory_bytes", MetricType::kGauge, "Resident memory.");
  out.Sample({}, use.resident_bytes);
}

}  // namespace

std::string RenderMetrics(const worker::WorkerPool& workers,
                          const std::vector<std::function<void(MetricsWriter&)>>& collectors) {
  std::string text;
  MetricsWriter out(&text);
  WriteCounters(workers, out);
  for (const auto& collect : collectors) collect(out);
  WriteProcess(out);
  return text;
}

std::string_view RouteMetrics::Next() {
  piece_.clear();
  while (family_ != Family::kEnd && piece_.size() < kPieceSize) {
    if (at_ == 0) BeginFamily();
    if (at_ == routes_.size()) {
      family_ = static_cast<Family>(static_cast<int>(family_) + 1);
      if (family_ == Family::kNginxRequests && !nginx_) family_ = Family::kEnd;
      at_ = 0;
      continue;
    }
    const std::string_view key = routes_[at_]->key();
    const RouteLabels labels = routes_[at_]->labels();
    const bool detailed = family_ == Family::kNginxRequests || family_ > Family::kNginxDuration;
    RouteCounters counters;
    RouteDetails details;
    for (; at_ < routes_.size() && routes_[at_]->key() == key; ++at_) {
      if (detailed) {
        details.Add(routes_[at_]->details());
      } else {
        counters.Add(routes_[at_]->counters());
      }
    }
    if (family_ < Family::kNginxRequests) {
      WriteRoute(labels, counters);
    } else if (HasNginxSeries(labels)) {
      detailed ? WriteNginxDetails(labels, details) : WriteNginxDurations(labels, counters);
    }
  }
  return piece_;
}

void RouteMetrics::BeginFamily() {
  switch (family_) {
    case Family::kRequests:
      return out_.Family("headgate_requests_total", MetricType::kCounter,
                         "Finished requests by route and status class.");
    case Family::kDuration:
      return out_.Family("headgate_request_duration_seconds", MetricType::kHistogram,
                         "From the request head to the last byte of the response.");
    case Family::kRequestBytes:
      return out_.Family("headgate_request_bytes_total", MetricType::kCounter,
                         "Request heads and bodies received.");
    case Family::kResponseBytes:
      return out_.Family("headgate_response_body_bytes_total", MetricType::kCounter,
                         "Response bodies sent.");
    case Family::kNginxRequests:
      return out_.Family("nginx_ingress_controller_requests", MetricType::kCounter,
                         "Finished requests by Ingress path, method and status class.");
    case Family::kNginxDuration:
      return out_.Family("nginx_ingress_controller_request_duration_seconds",
                         MetricType::kHistogram,
                         "From the request head to the last byte of the response.");
    case Family::kNginxResponseDuration:
      return out_.Family(
          "nginx_ingress_controller_response_duration_seconds", MetricType::kHistogram,
          "From the beginning of the last attempt to the end of the upstream's response.");
    case Family::kNginxHeaderDuration:
      return out_.Family(
          "nginx_ingress_controller_header_duration_seconds", MetricType::kHistogram,
          "From the beginning of the last attempt to the head of the upstream's response.");
    case Family::kNginxConnectDuration:
      return out_.Family(
          "nginx_ingress_controller_connect_duration_seconds", MetricType::kHistogram,
          "Until the connection of the last attempt was made; 0 where it was there.");
    case Family::kNginxRequestSize:
      return out_.Family("nginx_ingress_controller_request_size", MetricType::kHistogram,
                         "Bytes of request heads and bodies.");
    case Family::kNginxResponseSize:
      return out_.Family("nginx_ingress_controller_response_size", MetricType::kHistogram,
                         "Bytes of response bodies.");
    case Family::kNginxBytesSent:
      return out_.Family("nginx_ingress_controller_bytes_sent", MetricType::kHistogram,
                         "The same with other bounds.");
    case Family::kEnd: return;
  }
}

void RouteMetrics::WriteClasses(MetricLabels labels, const char* label,
                                const std::array<uint64_t, observe::kStatusClasses>& by_class) {
  static constexpr std::array<const char*, observe::kStatusClasses> kClasses = {
      "other", "1xx", "2xx", "3xx", "4xx", "5xx"};
  labels.emplace_back(label, "");
  for (size_t i = 0; i < kClasses.size(); ++i) {
    if (by_class[i] == 0) continue;
    labels.back().second = kClasses[i];
    out_.Sample(labels, by_class[i]);
  }
}

void RouteMetrics::WriteNginxDurations(const RouteLabels& route, const RouteCounters& counters) {
  const MetricLabels labels = NginxRouteLabels(*nginx_, route);
  out_.HistogramSample(labels, observe::kDurationBounds, counters.duration_buckets,
                       counters.duration_seconds);
}

void RouteMetrics::WriteNginxDetails(const RouteLabels& route, const RouteDetails& details) {
  const MetricLabels labels = NginxRouteLabels(*nginx_, route);
  const auto seconds = [&](const observe::HistogramCounts<observe::kDurationBuckets>& times) {
    out_.HistogramSample(labels, observe::kDurationBounds, times.buckets,
                         static_cast<double>(times.sum) / 1e6);
  };
  const auto bytes = [&](std::span<const double> bounds, const auto& sizes) {
    out_.HistogramSample(labels, bounds, sizes.buckets, static_cast<double>(sizes.sum));
  };
  switch (family_) {
    case Family::kNginxRequests:
      for (size_t i = 0; i < details.requests.size(); ++i) {
        MetricLabels with_method = labels;
        with_method.emplace_back("method", std::string(observe::kMethodLabels[i]));
        WriteClasses(std::move(with_method), "status", details.requests[i]);
      }
      return;
    case Family::kNginxResponseDuration: return seconds(details.response_time);
    case Family::kNginxHeaderDuration: return seconds(details.header_time);
    case Family::kNginxConnectDuration: return seconds(details.connect_time);
    case Family::kNginxRequestSize: return bytes(observe::kLengthBounds, details.request_length);
    case Family::kNginxResponseSize: return bytes(observe::kLengthBounds, details.response_length);
    case Family::kNginxBytesSent: return bytes(observe::kSizeBounds, details.response_size);
    default: return;
  }
}

void RouteMetrics::WriteRoute(const RouteLabels& route, const RouteCounters& counters) {
  const MetricLabels labels = Labels(route);
  switch (family_) {
    case Family::kRequests: return WriteClasses(labels, "status_class", counters.by_class);
    case Family::kDuration:
      return out_.HistogramSample(labels, observe::kDurationBounds, counters.duration_buckets,
                                  counters.duration_seconds);
    case Family::kRequestBytes: return out_.Sample(labels, counters.request_bytes);
    case Family::kResponseBytes: return out_.Sample(labels, counters.response_bytes);
    default: return;
  }
}

}  // namespace headgate::admin
