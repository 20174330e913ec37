// The one truth about the cluster: the newest decoded form of every object we watch, and what
// changed.
//
// Thread: one, the owner's; reflectors reach it through an Inbox. Objects handed out are immutable
// and may be kept and read elsewhere.
//
// Two rules make start-up and recovery safe:
//  - Nothing here is complete before Synced(): whoever derives something from this state waits for
//  it.
//  - A relist is applied as a difference. At no moment does an object that exists seem to be gone.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "controller/kube/event_sink.h"
#include "controller/kube/scope.h"
#include "controller/state/changes.h"
#include "controller/state/object_set.h"
#include "controller/state/relevance.h"

namespace headgate::state {

class ClusterState {
 public:
  struct Options {
    RelevanceOptions relevance;
    // Kinds that must have been listed before the state is whole.
    std::vector<kube::Kind> required = {kube::Kind::kIngress, kube::Kind::kIngressClass,
                                        kube::Kind::kService, kube::Kind::kEndpointSlice,
                                        kube::Kind::kSecret};
    // The Secrets that come at all.
    kube::ScopeList secrets;
  };
  using SliceList = absl::InlinedVector<std::shared_ptr<const kube::EndpointSlice>, 1>;

  explicit ClusterState(Options options);
  // What the cluster would be with these Ingresses and no others; everything but Ingresses is that
  // of `rest`, which outlives the copy and does not change meanwhile. For trying Ingresses out: at
  // the cost of these alone.
  ClusterState(const ClusterState& rest, std::vector<kube::Ingress> ingresses);
  ClusterState(const ClusterState&) = delete;
  ClusterState& operator=(const ClusterState&) = delete;

  // --- write ---

  // Takes one change. An object or malformed object that is older (by resourceVersion) than the
  // form held is dropped: versions never go back, not even in a list. (After a restore of etcd from
  // a backup versions do; Kubernetes asks for a restart of every client then.)
  void Apply(kube::Change change);
  // Takes all there is of a kind in a scope, as a difference.
  void Apply(kube::Replacement replacement);
  // The kind was listed completely; see kube::EventSink::OnSynced.
  void MarkSynced(kube::Kind kind);

  // What changed since the last call. Changes before Synced() count too.
  Changes TakeChanges();

  // --- read ---

  bool Synced() const;
  bool HasChanges() const { return !changes_.empty(); }
  // Whether the Ingress is among what TakeChanges would return.
  bool HasChanged(const kube::ObjectKey& ingress) const {
    return changes_.ingresses.contains(ingress);
  }

  // Null when there is none, or when it is not ours.
  const kube::Ingress* FindIngress(const kube::ObjectKey& key) const;
  // Shared ownership of the same.
  std::shared_ptr<const kube::Ingress> ShareIngress(const kube::ObjectKey& key) const;
  const kube::Service* FindService(const kube::ObjectKey& key) const;
  std::shared_ptr<const kube::Secret> FindSecret(const kube::ObjectKey& key) const;
  // False: the Secret is not read, so that nothing is known of it, not even whether it is there.
  bool ReadsSecret(const kube::ObjectKey& key) const { return kube::Covers(options_.secrets, key); }
  const kube::ConfigMap* FindConfigMap(const kube::ObjectKey& key) const;
  // True when the ConfigMap was looked for and is not there.
  bool KnowsMissingConfigMap(const kube::ObjectKey& key) const;
  // The ConfigMap, or that there is none, is known.
  bool KnowsConfigMap(const kube::ObjectKey& key) const;
  // Sorted by name.
  const SliceList& SlicesOf(const kube::ObjectKey& service) const;

  // Keys of our Ingresses, and of all Secrets that are there: in no particular order.
  std::vector<kube::ObjectKey> IngressKeys() const;

  using InvalidKey = std::pair<kube::Kind, kube::ObjectKey>;
  // Objects whose latest form could not be decoded, and why.
  const absl::flat_hash_map<InvalidKey, std::string>& invalid() const { return invalid_; }

  // Counters for metrics.
  size_t object_count(kube::Kind kind) const;
  uint64_t stale_events() const { return stale_events_; }

 private:
  template <typename T>
  ObjectSet<T>& Set() {
    return std::get<ObjectSet<T>>(sets_);
  }
  template <typename T>
  const ObjectSet<T>& Set() const {
    return std::get<ObjectSet<T>>(sets_);
  }

  template <typename T>
  void Put(T object);
  void PutMalformed(kube::MalformedObject malformed);
  template <typename T>
  void Remove(const kube::ObjectKey& key);
  template <typename T>
  void ReplaceAll(kube::Replacement replacement);
  // Notes the difference between two forms of one object, of which one may be null.
  template <typename T>
  void NoteChange(const std::shared_ptr<const T>& before, const std::shared_ptr<const T>& after);

  void IndexSlice(const std::shared_ptr<const kube::EndpointSlice>& slice);
  void UnindexSlice(const kube::EndpointSlice& slice);
  void RebuildClasses();
  void ClearInvalid(kube::Kind kind, const kube::ObjectKey& key);

  const Options options_;
  const ClusterState* const rest_ = nullptr;  // of a copy
  Relevance relevance_;
  std::tuple<ObjectSet<kube::Ingress>, ObjectSet<kube::IngressClass>, ObjectSet<kube::Service>,
             ObjectSet<kube::EndpointSlice>, ObjectSet<kube::Secret>, ObjectSet<kube::ConfigMap>,
             ObjectSet<kube::Namespace>>
      sets_;
  std::array<bool, kube::kKindCount> synced_{};
  absl::flat_hash_map<kube::ObjectKey, SliceList> slices_by_service_;
  absl::flat_hash_map<InvalidKey, std::string> invalid_;
  KeySet listed_config_maps_;  // without name: all of the namespace; without both: all
  Changes changes_;
  uint64_t stale_events_ = 0;
};

}  // namespace headgate::state
