#include "dataplane/observe/route_stats.h"

#include <algorithm>

namespace headgate::observe {
namespace {

std::string TakeLabel(std::string_view& key) {
  const size_t end = std::min(key.find('\0'), key.size());
  std::string label(key.substr(0, end));
  key.remove_prefix(std::min(end + 1, key.size()));
  return label;
}

}  // namespace

void RouteCounters::Add(const RouteCounters& other) {
  for (size_t i = 0; i < by_class.size(); ++i) by_class[i] += other.by_class[i];
  for (size_t i = 0; i < duration_buckets.size(); ++i) duration_buckets[i] += other.duration_buckets[i];
  duration_seconds += other.duration_seconds;
  request_bytes += other.request_bytes;
  response_bytes += other.response_bytes;
}

void RouteStats::Count(const RequestRecord& record) {
  key_.clear();
  key_ += record.virtual_host.empty() ? std::string_view("_") : record.virtual_host;
  for (const std::string_view label : {record.route_namespace, record.route_ingress, record.route_service,
                                       record.route_service_port, record.route_path}) {
    key_ += '\0';
    key_ += label;
  }
  auto found = routes_.find(key_);
  if (found == routes_.end()) {
    found = routes_.try_emplace(routes_.size() < max_routes_ ? key_ : std::string("other")).first;
  }
  RouteCounters& counters = found->second;

  const unsigned status_class = record.status / 100u;
  ++counters.by_class[status_class < counters.by_class.size() ? status_class : 0];
  const double seconds = std::chrono::duration<double>(record.duration).count();
  size_t bucket = 0;
  while (bucket < RouteCounters::kBounds.size() && seconds > RouteCounters::kBounds[bucket]) ++bucket;
  ++counters.duration_buckets[bucket];
  counters.duration_seconds += seconds;
  counters.request_bytes += record.request_bytes;
  counters.response_bytes += record.response_body_bytes;
}

std::vector<std::pair<RouteLabels, RouteCounters>> RouteStats::Copy() const {
  std::vector<std::pair<RouteLabels, RouteCounters>> copy;
  copy.reserve(routes_.size());
  for (const auto& [key, counters] : routes_) {
    std::string_view rest = key;
    RouteLabels labels;
    labels.host = TakeLabel(rest);
    labels.ns = TakeLabel(rest);
    labels.ingress = TakeLabel(rest);
    labels.service = TakeLabel(rest);
    labels.service_port = TakeLabel(rest);
    labels.path = TakeLabel(rest);
    copy.emplace_back(std::move(labels), counters);
  }
  return copy;
}

}  // namespace headgate::observe
