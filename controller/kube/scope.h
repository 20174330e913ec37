// Parts of a cluster that are read.
#pragma once

#include <algorithm>
#include <vector>

#include "controller/kube/objects.h"

namespace headgate::kube {

// One object; without a name, all of a namespace.
using Scope = ObjectKey;
// Empty: the whole cluster.
using ScopeList = std::vector<Scope>;

inline bool Covers(const ScopeList& scopes, const ObjectKey& object) {
  return scopes.empty() || std::any_of(scopes.begin(), scopes.end(), [&](const Scope& scope) {
           return scope.ns == object.ns && (scope.name.empty() || scope.name == object.name);
         });
}

}  // namespace headgate::kube
