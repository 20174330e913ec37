#include "controller/publish/hub.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "common/log.h"
#include "controller/publish/snapshot_stream.h"

namespace headgate::publish {
namespace {

// One series each: a fleet larger than this is counted, not listed.
constexpr size_t kMaxListedSubscribers = 100;
// The same for resources that are refused.
constexpr size_t kMaxListedRefusals = 100;
// And for upstreams with unhealthy endpoints.
constexpr size_t kMaxListedUpstreams = 100;

// Which resources data planes keep refusing, with the object and field they come from.
void CollectRefusals(const std::vector<SubscriberStatus>& subscribers, MetricsWriter& writer) {
  struct Refused {
    ResourcePtr resource;
    uint64_t data_planes = 0;
  };
  std::map<std::string_view, Refused> by_name;
  size_t total = 0;
  for (const SubscriberStatus& subscriber : subscribers) {
    total += subscriber.refused.size();
    for (const RefusedResource& refused : subscriber.refused) {
      Refused& entry = by_name[refused.resource->name()];
      entry.resource = refused.resource;
      ++entry.data_planes;
    }
  }
  writer.Family("headgate_snapshot_refused_resources", MetricType::kGauge,
                "Resources that a data plane keeps refusing, summed over data planes.");
  writer.Sample({}, uint64_t{total});
  writer.Family(
      "headgate_snapshot_refused", MetricType::kGauge,
      "Data planes that keep refusing a resource, by its first cause (the first hundred).");
  size_t listed = 0;
  for (const auto& [name, refused] : by_name) {
    if (listed++ == kMaxListedRefusals) break;
    v1::Provenance cause;
    if (refused.resource->provenance_size() > 0) cause = refused.resource->provenance(0);
    writer.Sample({{"resource", std::string(name)},
                   {"kind", cause.kind()},
                   {"namespace", cause.namespace_()},
                   {"name", cause.name()},
                   {"field", cause.field()}},
                  refused.data_planes);
  }
}

// What the probes of data planes say. They see the same endpoints from different places: the worst
// counts.
void CollectHealth(const std::vector<SubscriberStatus>& subscribers, MetricsWriter& writer) {
  uint64_t unhealthy = 0;
  std::map<std::string_view, uint64_t> by_upstream;
  for (const SubscriberStatus& subscriber : subscribers) {
    unhealthy = std::max(unhealthy, subscriber.health.unhealthy());
    for (const v1::UpstreamHealth& upstream : subscriber.health.upstreams()) {
      uint64_t& most = by_upstream[upstream.name()];
      most = std::max<uint64_t>(most, upstream.unhealthy());
    }
  }
  writer.Family("headgate_unhealthy_endpoints", MetricType::kGauge,
                "Endpoints that fail the probes of a data plane: the most of any.");
  writer.Sample({}, unhealthy);
  writer.Family("headgate_upstream_unhealthy_endpoints", MetricType::kGauge,
                "The same by upstream (the first hundred that have any).");
  size_t listed = 0;
  for (const auto& [name, most] : by_upstream) {
    if (listed++ == kMaxListedUpstreams) break;
    writer.Sample({{"upstream", std::string(name)}}, most);
  }
}

}  // namespace

Hub::Hub(MetricsRegistry& metrics, std::function<void()> health_changed,
         std::function<void()> acknowledged)
    : health_changed_(std::move(health_changed)),
      acknowledged_(std::move(acknowledged)),
      publishes_(
          metrics.AddCounter("headgate_snapshot_publishes_total", "Changes of the snapshot.")),
      commits_(
          metrics.AddCounter("headgate_snapshot_commits_total", "Commits sent to data planes.")),
      results_(metrics.AddCounter("headgate_snapshot_results_total",
                                  "Answers of data planes to commits.")),
      refusals_(metrics.AddCounter("headgate_snapshot_refusals_total",
                                   "Resources that data planes refused, each time.")),
      resources_sent_(metrics.AddCounter("headgate_snapshot_resources_sent_total",
                                         "Resources and removals sent to data planes.")),
      streams_opened_(
          metrics.AddCounter("headgate_snapshot_streams_total", "Streams opened by data planes.")),
      oversized_(metrics.AddCounter("headgate_snapshot_oversized_resources_total",
                                    "Resources not published because they are too large.")),
      result_seconds_(metrics.AddHistogram("headgate_snapshot_result_seconds",
                                           "From the first delta to the data plane's answer.",
                                           LatencyBounds())) {}

void Hub::Publish(std::vector<Change> changes) {
  std::erase_if(changes, [this](const Change& change) {
    if (change.resource == nullptr || change.resource->ByteSizeLong() <= kMaxResourceBytes) {
      return false;
    }
    oversized_.Add();
    HEADGATE_LOG(kError, "publish", "resource is too large; its last good form stays",
                 {"resource", change.name}, {"bytes", change.resource->ByteSizeLong()});
    return true;
  });
  std::vector<std::shared_ptr<SnapshotStream>> streams;
  {
    std::lock_guard lock(mutex_);
    const bool changed = log_.Apply(std::move(changes));
    if (!changed && published_) return;
    published_ = true;
    streams = CopyStreams();
  }
  publishes_.Add();
  for (const auto& stream : streams) stream->Advance();
}

void Hub::SetFleet(size_t data_planes) {
  {
    std::lock_guard lock(mutex_);
    if (fleet_ == data_planes) return;
    fleet_ = data_planes;
  }
  OnFleetChanged();
}

absl::StatusOr<bool> Hub::Begin(Subscriber& subscriber) const {
  std::lock_guard lock(mutex_);
  const auto data_planes = static_cast<uint32_t>(std::max(status_.size(), fleet_));
  if (!published_ || !subscriber.CanBegin(log_, data_planes)) return false;
  if (!subscriber.CanFollow(log_)) {
    return absl::OutOfRangeError("too far behind; come again with an inventory");
  }
  subscriber.Begin(log_, data_planes);
  return true;
}

bool Hub::Add(const std::shared_ptr<SnapshotStream>& stream) {
  std::lock_guard lock(mutex_);
  streams_opened_.Add();
  streams_[stream.get()] = stream;
  return !closed_;
}

void Hub::Remove(const std::shared_ptr<SnapshotStream>& stream) {
  {
    std::lock_guard lock(mutex_);
    streams_.erase(stream.get());
    status_.erase(stream.get());
  }
  OnHealth();
  if (acknowledged_) acknowledged_();
  OnFleetChanged();
}

void Hub::OnFleetChanged() {
  std::vector<std::shared_ptr<SnapshotStream>> streams;
  {
    std::lock_guard lock(mutex_);
    streams = CopyStreams();
  }
  for (const auto& stream : streams) stream->Advance();
}

void Hub::Close() {
  std::vector<std::shared_ptr<SnapshotStream>> streams;
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    streams = CopyStreams();
  }
  for (const auto& stream : streams) stream->End();
}

std::vector<std::shared_ptr<SnapshotStream>> Hub::CopyStreams() const {
  std::vector<std::shared_ptr<SnapshotStream>> copy;
  copy.reserve(streams_.size());
  for (const auto& [raw, stream] : streams_) copy.push_back(stream);
  return copy;
}

void Hub::OnStatus(const SnapshotStream* stream, const SubscriberStatus& status) {
  std::lock_guard lock(mutex_);
  if (streams_.contains(stream)) status_[stream] = status;
}

void Hub::OnResult(size_t newly_refused, absl::Duration took) {
  results_.Add();
  refusals_.Add(newly_refused);
  result_seconds_.Observe(absl::ToDoubleSeconds(took));
  if (acknowledged_) acknowledged_();
}

Hub::Summary Hub::Snapshot() const {
  std::lock_guard lock(mutex_);
  return {.version = log_.version(),
          .position = log_.position(),
          .resources = log_.size(),
          .resources_by_kind = log_.count_by_kind(),
          .published = published_};
}

std::vector<SubscriberStatus> Hub::Subscribers() const {
  std::vector<SubscriberStatus> out;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [stream, status] : status_) out.push_back(status);
  }
  std::sort(out.begin(), out.end(), [](const SubscriberStatus& a, const SubscriberStatus& b) {
    return a.instance < b.instance;
  });
  return out;
}

void Hub::Collect(MetricsWriter& writer) const {
  const Summary snapshot = Snapshot();
  std::vector<SubscriberStatus> subscribers = Subscribers();
  size_t current = 0;
  for (const SubscriberStatus& subscriber : subscribers) {
    if (subscriber.acked_position == snapshot.position) ++current;
  }
  writer.Family("headgate_snapshot_info", MetricType::kGauge, "Version of the current snapshot.");
  if (snapshot.published) writer.Sample({{"version", snapshot.version}}, uint64_t{1});
  writer.Family("headgate_snapshot_resources", MetricType::kGauge, "Resources of the snapshot.");
  for (const auto& [kind, count] : snapshot.resources_by_kind) {
    writer.Sample({{"kind", kind}}, uint64_t{count});
  }
  writer.Family("headgate_snapshot_subscribers", MetricType::kGauge, "Data planes connected.");
  writer.Sample({}, uint64_t{subscribers.size()});
  writer.Family("headgate_snapshot_subscribers_current", MetricType::kGauge,
                "Data planes that have answered to the current snapshot.");
  writer.Sample({}, uint64_t{current});
  CollectRefusals(subscribers, writer);
  CollectHealth(subscribers, writer);
  if (subscribers.size() > kMaxListedSubscribers) subscribers.resize(kMaxListedSubscribers);
  writer.Family("headgate_snapshot_subscriber_info", MetricType::kGauge,
                "Version that each data plane has answered to (the first hundred).");
  for (const SubscriberStatus& subscriber : subscribers) {
    writer.Sample({{"instance", subscriber.instance}, {"version", subscriber.acked_version}},
                  uint64_t{1});
  }
}

}  // namespace headgate::publish
