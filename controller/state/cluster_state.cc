#include "controller/state/cluster_state.h"

#include <algorithm>
#include <type_traits>

#include "controller/state/resource_version.h"

namespace headgate::state {
namespace {

using kube::Kind;
using kube::ObjectKey;

// Whether two forms differ in more than bookkeeping: a status update changes the resourceVersion,
// and what is served does not depend on the status of an Ingress.
template <typename T>
bool SameContent(const T& before, T& after) {
  std::string version = before.meta.resource_version;
  std::swap(version, after.meta.resource_version);
  bool same = false;
  if constexpr (std::is_same_v<T, kube::Ingress>) {
    std::vector<std::string> addresses = before.addresses;
    std::swap(addresses, after.addresses);
    same = before == after;
    std::swap(addresses, after.addresses);
  } else {
    same = before == after;
  }
  std::swap(version, after.meta.resource_version);
  return same;
}

ObjectKey ServiceOf(const kube::EndpointSlice& slice) {
  return {slice.meta.key.ns, slice.service_name};
}

// Calls `f.template operator()<T>()` with the type of `kind`.
template <typename F>
auto WithKind(Kind kind, F&& f) {
  switch (kind) {
    case Kind::kIngress: return f.template operator()<kube::Ingress>();
    case Kind::kIngressClass: return f.template operator()<kube::IngressClass>();
    case Kind::kService: return f.template operator()<kube::Service>();
    case Kind::kEndpointSlice: return f.template operator()<kube::EndpointSlice>();
    case Kind::kSecret: return f.template operator()<kube::Secret>();
    case Kind::kConfigMap: return f.template operator()<kube::ConfigMap>();
    case Kind::kNamespace: break;
  }
  return f.template operator()<kube::Namespace>();
}

}  // namespace

ClusterState::ClusterState(Options options)
    : options_(std::move(options)), relevance_(options_.relevance) {}

ClusterState::ClusterState(const ClusterState& rest, std::vector<kube::Ingress> ingresses)
    : options_(rest.options_), rest_(&rest), relevance_(rest.relevance_), synced_(rest.synced_) {
  for (kube::Ingress& ingress : ingresses) {
    Set<kube::Ingress>().Put(std::make_shared<const kube::Ingress>(std::move(ingress)));
  }
}

// --- write ---

void ClusterState::Apply(kube::Change change) {
  if (auto* object = std::get_if<kube::Object>(&change)) {
    std::visit([this](auto& o) { Put(std::move(o)); }, *object);
  } else if (auto* malformed = std::get_if<kube::MalformedObject>(&change)) {
    PutMalformed(std::move(*malformed));
  } else if (auto* deletion = std::get_if<kube::Deletion>(&change)) {
    WithKind(deletion->kind, [&]<typename T>() { Remove<T>(deletion->key); });
  }
}

void ClusterState::Apply(kube::Replacement replacement) {
  WithKind(replacement.kind, [&]<typename T>() { ReplaceAll<T>(std::move(replacement)); });
}

void ClusterState::MarkSynced(Kind kind) { synced_[static_cast<size_t>(kind)] = true; }

Changes ClusterState::TakeChanges() { return std::exchange(changes_, {}); }

template <typename T>
void ClusterState::Put(T object) {
  const ObjectKey key = object.meta.key;
  const std::shared_ptr<const T> before = Set<T>().Find(key);
  if (before != nullptr &&
      IsOlderVersion(object.meta.resource_version, before->meta.resource_version)) {
    ++stale_events_;
    return;
  }
  ClearInvalid(T::kKind, key);
  const bool changed = before == nullptr || !SameContent(*before, object);
  auto after = std::make_shared<const T>(std::move(object));
  Set<T>().Put(after);
  if constexpr (std::is_same_v<T, kube::EndpointSlice>) {
    if (before != nullptr) UnindexSlice(*before);
    IndexSlice(after);
  }
  if (changed) NoteChange<T>(before, after);
  if constexpr (std::is_same_v<T, kube::Ingress>) {
    if (!changed && before->addresses != after->addresses && relevance_.Owns(*after)) {
      changes_.statuses.insert(key);
    }
  }
}

void ClusterState::PutMalformed(kube::MalformedObject malformed) {
  const std::string* held_version = WithKind(malformed.kind, [&]<typename T>() {
    const auto& held = Set<T>().Find(malformed.key);
    return held != nullptr ? &held->meta.resource_version : nullptr;
  });
  if (held_version != nullptr && IsOlderVersion(malformed.resource_version, *held_version)) {
    ++stale_events_;
    return;
  }
  std::string& error = invalid_[{malformed.kind, malformed.key}];
  if (error == malformed.error) return;
  error = std::move(malformed.error);
  changes_.validity.emplace(malformed.kind, malformed.key);
}

template <typename T>
void ClusterState::Remove(const ObjectKey& key) {
  ClearInvalid(T::kKind, key);
  const std::shared_ptr<const T> before = Set<T>().Find(key);
  if (before == nullptr) return;
  Set<T>().Erase(key);
  if constexpr (std::is_same_v<T, kube::EndpointSlice>) UnindexSlice(*before);
  NoteChange<T>(before, nullptr);
}

template <typename T>
void ClusterState::ReplaceAll(kube::Replacement replacement) {
  // Additions and changes first, so that what moves from one object to another is never in neither.
  KeySet exist;
  for (kube::Object& object : replacement.objects) {
    T* typed = std::get_if<T>(&object);
    if (typed == nullptr) continue;
    exist.insert(typed->meta.key);
    Put(std::move(*typed));
  }
  for (kube::MalformedObject& malformed : replacement.malformed) {
    if (malformed.kind != T::kKind) continue;
    exist.insert(malformed.key);
    PutMalformed(std::move(malformed));
  }
  std::vector<ObjectKey> gone;
  const auto collect = [&](const ObjectKey& key) {
    const bool in_scope = (replacement.ns.empty() || replacement.ns == key.ns) &&
                          (replacement.name.empty() || replacement.name == key.name);
    if (in_scope && !exist.contains(key)) gone.push_back(key);
  };
  for (const auto& object : Set<T>()) collect(object->meta.key);
  for (const auto& [kind_and_key, error] : invalid_) {
    if (kind_and_key.first == T::kKind) collect(kind_and_key.second);
  }
  for (const ObjectKey& key : gone) Remove<T>(key);
  if constexpr (std::is_same_v<T, kube::ConfigMap>) {
    ObjectKey key{replacement.ns, replacement.name};
    // That it is not there is news as well.
    if (listed_config_maps_.insert(key).second && !key.name.empty()) {
      changes_.config_maps.insert(std::move(key));
    }
  }
}

template <typename T>
void ClusterState::NoteChange(const std::shared_ptr<const T>& before,
                              const std::shared_ptr<const T>& after) {
  const ObjectKey& key = (after != nullptr ? after : before)->meta.key;
  if constexpr (std::is_same_v<T, kube::Ingress>) {
    if ((before != nullptr && relevance_.Owns(*before)) ||
        (after != nullptr && relevance_.Owns(*after))) {
      changes_.ingresses.insert(key);
    }
  } else if constexpr (std::is_same_v<T, kube::IngressClass>) {
    RebuildClasses();
  } else if constexpr (std::is_same_v<T, kube::Service>) {
    changes_.services.insert(key);
  } else if constexpr (std::is_same_v<T, kube::EndpointSlice>) {
    if (before != nullptr && !before->service_name.empty()) {
      changes_.endpoints.insert(ServiceOf(*before));
    }
    if (after != nullptr && !after->service_name.empty()) {
      changes_.endpoints.insert(ServiceOf(*after));
    }
  } else if constexpr (std::is_same_v<T, kube::Secret>) {
    changes_.secrets.insert(key);
  } else if constexpr (std::is_same_v<T, kube::ConfigMap>) {
    changes_.config_maps.insert(key);
  }
}

void ClusterState::IndexSlice(const std::shared_ptr<const kube::EndpointSlice>& slice) {
  if (slice->service_name.empty()) return;
  SliceList& list = slices_by_service_[ServiceOf(*slice)];
  auto at = std::lower_bound(list.begin(), list.end(), slice, [](const auto& a, const auto& b) {
    return a->meta.key.name < b->meta.key.name;
  });
  list.insert(at, slice);
}

void ClusterState::UnindexSlice(const kube::EndpointSlice& slice) {
  auto it = slices_by_service_.find(ServiceOf(slice));
  if (it == slices_by_service_.end()) return;
  SliceList& list = it->second;
  auto at = std::find_if(list.begin(), list.end(), [&](const auto& other) {
    return other->meta.key.name == slice.meta.key.name;
  });
  if (at != list.end()) list.erase(at);
  if (list.empty()) slices_by_service_.erase(it);
}

void ClusterState::RebuildClasses() {
  const Relevance before = relevance_;
  std::vector<const kube::IngressClass*> classes;
  for (const auto& ingress_class : Set<kube::IngressClass>()) {
    classes.push_back(ingress_class.get());
  }
  relevance_.Rebuild(classes);
  for (const auto& ingress : Set<kube::Ingress>()) {
    if (before.Owns(*ingress) != relevance_.Owns(*ingress)) {
      changes_.ingresses.insert(ingress->meta.key);
    }
  }
}

void ClusterState::ClearInvalid(Kind kind, const ObjectKey& key) {
  if (!invalid_.empty() && invalid_.erase({kind, key}) != 0) changes_.validity.emplace(kind, key);
}

// --- read ---

bool ClusterState::Synced() const {
  return std::all_of(options_.required.begin(), options_.required.end(),
                     [&](Kind kind) { return synced_[static_cast<size_t>(kind)]; });
}

const kube::Ingress* ClusterState::FindIngress(const ObjectKey& key) const {
  return ShareIngress(key).get();
}

std::shared_ptr<const kube::Ingress> ClusterState::ShareIngress(const ObjectKey& key) const {
  const auto& ingress = Set<kube::Ingress>().Find(key);
  return ingress != nullptr && relevance_.Owns(*ingress) ? ingress : nullptr;
}

const kube::Service* ClusterState::FindService(const ObjectKey& key) const {
  if (rest_ != nullptr) return rest_->FindService(key);
  return Set<kube::Service>().Find(key).get();
}

std::shared_ptr<const kube::Secret> ClusterState::FindSecret(const ObjectKey& key) const {
  if (rest_ != nullptr) return rest_->FindSecret(key);
  return Set<kube::Secret>().Find(key);
}

const kube::ConfigMap* ClusterState::FindConfigMap(const ObjectKey& key) const {
  if (rest_ != nullptr) return rest_->FindConfigMap(key);
  return Set<kube::ConfigMap>().Find(key).get();
}

bool ClusterState::KnowsMissingConfigMap(const ObjectKey& key) const {
  return FindConfigMap(key) == nullptr && KnowsConfigMap(key);
}

bool ClusterState::KnowsConfigMap(const ObjectKey& key) const {
  if (rest_ != nullptr) return rest_->KnowsConfigMap(key);
  return FindConfigMap(key) != nullptr || listed_config_maps_.contains(key) ||
         listed_config_maps_.contains({key.ns, ""}) || listed_config_maps_.contains({"", ""});
}

const ClusterState::SliceList& ClusterState::SlicesOf(const ObjectKey& service) const {
  static const SliceList kNone;
  if (rest_ != nullptr) return rest_->SlicesOf(service);
  auto it = slices_by_service_.find(service);
  return it == slices_by_service_.end() ? kNone : it->second;
}

std::vector<ObjectKey> ClusterState::IngressKeys() const {
  std::vector<ObjectKey> keys;
  for (const auto& ingress : Set<kube::Ingress>()) {
    if (relevance_.Owns(*ingress)) keys.push_back(ingress->meta.key);
  }
  return keys;
}

size_t ClusterState::object_count(Kind kind) const {
  return WithKind(kind, [&]<typename T>() { return Set<T>().size(); });
}

}  // namespace headgate::state
