#include "dataplane/observe/route_stats.h"

#include <algorithm>

namespace headgate::observe {
namespace {

std::string_view TakeLabel(std::string_view& key) {
  const size_t end = std::min(key.find('\0'), key.size());
  const std::string_view label = key.substr(0, end);
  key.remove_prefix(std::min(end + 1, key.size()));
  return label;
}

}  // namespace

void RouteCounters::Add(const RouteCounters& other) {
  for (size_t i = 0; i < by_class.size(); ++i) by_class[i] += other.by_class[i];
  for (size_t i = 0; i < duration_buckets.size(); ++i)
    duration_buckets[i] += other.duration_buckets[i];
  duration_seconds += other.duration_seconds;
  request_bytes += other.request_bytes;
  response_bytes += other.response_bytes;
}

RouteLabels RouteStats::Route::labels() const {
  std::string_view rest = key();
  RouteLabels labels;
  labels.host = TakeLabel(rest);
  labels.ns = TakeLabel(rest);
  labels.ingress = TakeLabel(rest);
  labels.service = TakeLabel(rest);
  labels.service_port = TakeLabel(rest);
  labels.path = TakeLabel(rest);
  return labels;
}

RouteCounters RouteStats::Route::counters() const {
  RouteCounters read = counts_.Read();
  read.duration_seconds = static_cast<double>(duration_microseconds_.value()) / 1e6;
  read.request_bytes = request_bytes_.value();
  read.response_bytes = response_bytes_.value();
  return read;
}

RouteStats::Route& RouteStats::Find(const RequestRecord& record) {
  key_.clear();
  key_ += record.virtual_host.empty() ? std::string_view("_") : record.virtual_host;
  for (const std::string_view label :
       {record.route_namespace, record.route_ingress, record.route_service,
        record.route_service_port, record.route_path}) {
    key_ += '\0';
    key_ += label;
  }
  const auto found = routes_.find(key_);
  return found != routes_.end() ? **found : Add(key_);
}

void RouteStats::Count(const RequestRecord& record) {
  Route* known = record.route_id != 0 && RecentFor(record.route_id).id == record.route_id
                     ? RecentFor(record.route_id).route
                     : nullptr;
  if (known == nullptr) {
    known = &Find(record);
    if (record.route_id != 0) RecentFor(record.route_id) = {record.route_id, known};
  }
  Route& route = *known;

  route.counts_.Count(StatusClass(record.status), DurationBucket(record.duration));
  route.duration_microseconds_.Add(static_cast<uint64_t>(record.duration.count()));
  route.request_bytes_.Add(record.request_bytes);
  route.response_bytes_.Add(record.response_body_bytes);
  if (route.details_ != nullptr) route.details_->Count(record);
}

RouteStats::Route& RouteStats::Add(std::string_view key) {
  if (routes_.size() >= max_routes_) {
    key = "other";
    if (const auto other = routes_.find(key); other != routes_.end()) return **other;
  }
  Route& route = **routes_.insert(Route::Make(key, details_)).first;
  last_->store(&route, std::memory_order_release);
  last_ = &route.next_;
  if (routes_.size() > recent_.size()) recent_.assign(2 * recent_.size(), {});
  return route;
}

}  // namespace headgate::observe
