// Objects of one kind, found by key. The key lives in the object alone.
#pragma once

#include <memory>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "controller/kube/objects.h"

namespace headgate::state {

template <typename T>
class ObjectSet {
 public:
  using Pointer = std::shared_ptr<const T>;

  // Null if there is none.
  const Pointer& Find(const kube::ObjectKey& key) const {
    static const Pointer kNone;
    auto it = set_.find(key);
    return it == set_.end() ? kNone : *it;
  }
  // Adds the object or replaces the one with its key.
  void Put(Pointer object) {
    auto it = set_.find(object->meta.key);
    if (it != set_.end()) set_.erase(it);
    set_.insert(std::move(object));
  }
  void Erase(const kube::ObjectKey& key) {
    auto it = set_.find(key);
    if (it != set_.end()) set_.erase(it);
  }
  size_t size() const { return set_.size(); }
  // In no particular order.
  auto begin() const { return set_.begin(); }
  auto end() const { return set_.end(); }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(const kube::ObjectKey& key) const {
      return absl::Hash<kube::ObjectKey>()(key);
    }
    size_t operator()(const Pointer& object) const { return (*this)(object->meta.key); }
  };
  struct Equal {
    using is_transparent = void;
    static const kube::ObjectKey& Key(const kube::ObjectKey& key) { return key; }
    static const kube::ObjectKey& Key(const Pointer& object) { return object->meta.key; }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return Key(a) == Key(b);
    }
  };
  absl::flat_hash_set<Pointer, Hash, Equal> set_;
};

}  // namespace headgate::state
