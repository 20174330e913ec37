#include "controller/kube/api_source.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/log.h"
#include "common/strings.h"

namespace headgate::kube {

ApiSource::ApiSource(ApiSourceOptions options, TransportFactory make_transport, EventSink& sink,
                     const Clock& clock, MetricsRegistry& metrics)
    : options_(std::move(options)),
      make_transport_(std::move(make_transport)),
      sink_(sink),
      clock_(clock),
      metrics_(metrics),
      next_seed_(options_.seed) {}

ApiSource::~ApiSource() { Stop(); }

void ApiSource::Start() {
  for (const Kind kind : options_.kinds) {
    if (kind != Kind::kEndpointSlice || options_.endpoints_api == EndpointsApi::kSlices) {
      StartReflectors(kind, ResourceTypeOf(kind));
    } else if (options_.endpoints_api == EndpointsApi::kLegacy) {
      StartReflectors(kind, EndpointsResourceType());
    } else {
      chooser_transport_ = make_transport_();
      chooser_ = std::thread([this] { ChooseEndpoints(); });
    }
  }
}

void ApiSource::Stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
  }
  stop_requested_.notify_all();
  if (chooser_.joinable()) {
    chooser_transport_->Cancel();
    chooser_.join();
  }
  // Nobody adds workers any more. Reflectors call OnScopeSynced, which locks, so they are stopped
  // unlocked.
  std::vector<std::unique_ptr<Worker>> workers;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    workers = std::exchange(workers_, {});
    for (auto& [key, worker] : object_workers_) workers.push_back(std::move(worker));
    object_workers_.clear();
  }
  for (const auto& worker : workers) worker->reflector->Stop();
  for (const auto& worker : workers) worker->thread.join();
}

void ApiSource::StartReflectors(Kind kind, const ResourceType& type) {
  ScopeList scopes = ScopesOf(kind);
  if (!type.namespaced || scopes.empty()) scopes = {Scope()};
  const std::lock_guard<std::mutex> lock(mutex_);
  if (stopped_) return;
  scopes_to_sync_[kind] = scopes.size();
  for (const Scope& scope : scopes) {
    ReflectorOptions options = options_.reflector;
    options.type = &type;
    options.ns = scope.ns;
    options.name = scope.name;
    options.seed = next_seed_++;
    workers_.push_back(StartReflector(std::move(options), [this, kind] { OnScopeSynced(kind); }));
  }
}

std::unique_ptr<ApiSource::Worker> ApiSource::StartReflector(ReflectorOptions options,
                                                             std::function<void()> on_synced) {
  auto worker = std::make_unique<Worker>();
  worker->transport = make_transport_();
  worker->reflector = std::make_unique<Reflector>(options, *worker->transport, sink_, clock_,
                                                  metrics_, std::move(on_synced));
  worker->thread = std::thread([reflector = worker->reflector.get()] { reflector->Run(); });
  return worker;
}

ScopeList ApiSource::ScopesOf(Kind kind) const {
  const auto own = options_.scopes_of.find(kind);
  if (own != options_.scopes_of.end()) return own->second;
  ScopeList scopes;
  for (const std::string& ns : options_.namespaces) scopes.push_back({ns, ""});
  return scopes;
}

bool ApiSource::WatchedAnyway(Kind kind, const ObjectKey& object) const {
  return std::find(options_.kinds.begin(), options_.kinds.end(), kind) != options_.kinds.end() &&
         Covers(ScopesOf(kind), object);
}

void ApiSource::WatchObjects(Kind kind, const absl::flat_hash_set<ObjectKey>& wanted) {
  std::vector<std::pair<ObjectKey, std::unique_ptr<Worker>>> unwanted;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (stopped_) return;
    for (auto it = object_workers_.begin(); it != object_workers_.end();) {
      const bool keep = it->first.first != kind || wanted.contains(it->first.second);
      if (!keep) unwanted.emplace_back(it->first.second, std::move(it->second));
      it = keep ? std::next(it) : object_workers_.erase(it);
    }
    for (const ObjectKey& key : wanted) {
      if (WatchedAnyway(kind, key) || object_workers_.contains({kind, key})) continue;
      if (object_workers_.size() >= kMaxObjects) {
        HEADGATE_LOG_EVERY(60, kError, "kube", "too many objects are to be watched one by one",
                           {"kind", KindName(kind)}, {"left_out", key.ToString()},
                           {"limit", kMaxObjects});
        continue;
      }
      ReflectorOptions options = options_.reflector;
      options.type = &ResourceTypeOf(kind);
      options.ns = key.ns;
      options.name = key.name;
      options.seed = next_seed_++;
      object_workers_[{kind, key}] = StartReflector(std::move(options), [] {});
    }
  }
  for (auto& [key, worker] : unwanted) {
    worker->reflector->Stop();
    worker->thread.join();
    sink_.OnChanges({Deletion{kind, key}});
  }
}

void ApiSource::ChooseEndpoints() {
  const ResourceType& slices = ResourceTypeOf(Kind::kEndpointSlice);
  Backoff backoff(options_.reflector.backoff, options_.seed);
  while (true) {
    const absl::StatusOr<HttpResult> result =
        chooser_transport_->Get(StrCat("/apis/", slices.api_version), absl::Seconds(10),
                                [](std::string_view) { return true; });
    if (result.ok() && (result->status == 200 || result->status == 404)) {
      const bool has_slices = result->status == 200;
      if (!has_slices)
        HEADGATE_LOG(kInfo, "kube", "the cluster has no EndpointSlices, using Endpoints");
      StartReflectors(Kind::kEndpointSlice, has_slices ? slices : EndpointsResourceType());
      return;
    }
    const absl::Status status =
        result.ok() ? absl::UnavailableError(StrCat("HTTP ", result->status)) : result.status();
    std::unique_lock<std::mutex> lock(mutex_);
    if (stopped_) return;
    HEADGATE_LOG_EVERY(60, kWarn, "kube", "cannot ask the API server for its endpoint kinds",
                       {"error", status});
    const absl::Duration deadline = clock_.MonotonicNow() + backoff.Next();
    if (clock_.WaitUntil(lock, stop_requested_, deadline, [this] { return stopped_; })) return;
  }
}

void ApiSource::OnScopeSynced(Kind kind) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (--scopes_to_sync_[kind] > 0) return;
  }
  sink_.OnSynced(kind);
}

}  // namespace headgate::kube
