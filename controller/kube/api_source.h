// An API server as the source of objects: one reflector for each kind and part of the cluster.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "common/backoff.h"
#include "common/clock.h"
#include "common/metrics.h"
#include "controller/kube/event_sink.h"
#include "controller/kube/reflector.h"
#include "controller/kube/scope.h"
#include "controller/kube/transport.h"

namespace headgate::kube {

enum class EndpointsApi : uint8_t {
  kAuto,    // EndpointSlices where the cluster has them, else Endpoints
  kSlices,  // discovery.k8s.io/v1 EndpointSlice
  kLegacy,  // core/v1 Endpoints
};

struct ApiSourceOptions {
  std::vector<Kind> kinds = {Kind::kIngress, Kind::kIngressClass, Kind::kService,
                             Kind::kEndpointSlice, Kind::kSecret};
  // Namespaces to watch; empty: all. Cluster-scoped kinds are always watched as a whole.
  std::vector<std::string> namespaces;
  // Kinds of which less is wanted, or something else.
  std::map<Kind, ScopeList> scopes_of;
  EndpointsApi endpoints_api = EndpointsApi::kAuto;
  // For every reflector; type, ns and seed are set by us.
  ReflectorOptions reflector;
  // For jitter. Tests give one of their own.
  uint64_t seed = RandomSeed();
};

// Owns the reflectors, their transports and threads. OnSynced of a kind follows when all its
// scopes were listed.
class ApiSource {
 public:
  // `make_transport` gives one transport a reflector. `sink`, `clock` and `metrics` must outlive
  // the source.
  ApiSource(ApiSourceOptions options, TransportFactory make_transport, EventSink& sink,
            const Clock& clock, MetricsRegistry& metrics);
  ~ApiSource();  // stops
  ApiSource(const ApiSource&) = delete;
  ApiSource& operator=(const ApiSource&) = delete;

  // Starts the threads and returns; an API server that cannot be reached yet is waited for.
  void Start();
  // Watches exactly these objects of a kind by themselves, beside what `kinds` says: for a kind of
  // which few objects matter and all would be too many. What is within a scope of that kind that is
  // watched anyway is passed over. The sink hears of each as of a Replacement of that name;
  // one that is no longer wanted is a Deletion. At most kMaxObjects; one thread calls this.
  void WatchObjects(Kind kind, const absl::flat_hash_set<ObjectKey>& wanted);
  static constexpr size_t kMaxObjects = 256;

  // Cancels everything and returns when all threads have ended; no call to the sink after that.
  void Stop();

 private:
  struct Worker {
    std::unique_ptr<Transport> transport;
    std::unique_ptr<Reflector> reflector;
    std::thread thread;
  };

  void StartReflectors(Kind kind, const ResourceType& type);
  std::unique_ptr<Worker> StartReflector(ReflectorOptions options, std::function<void()> on_synced);
  ScopeList ScopesOf(Kind kind) const;
  bool WatchedAnyway(Kind kind, const ObjectKey& object) const;
  // Runs on a thread of its own: asks what kind of endpoints there are until it knows.
  void ChooseEndpoints();
  void OnScopeSynced(Kind kind);

  const ApiSourceOptions options_;
  const TransportFactory make_transport_;
  EventSink& sink_;
  const Clock& clock_;
  MetricsRegistry& metrics_;

  std::unique_ptr<Transport> chooser_transport_;
  std::thread chooser_;

  std::mutex mutex_;
  std::condition_variable stop_requested_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::unique_ptr<Worker>> workers_ ABSL_GUARDED_BY(mutex_);
  std::map<std::pair<Kind, ObjectKey>, std::unique_ptr<Worker>> object_workers_
      ABSL_GUARDED_BY(mutex_);
  std::map<Kind, size_t> scopes_to_sync_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_seed_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace headgate::kube
