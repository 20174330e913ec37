// Who wins when several Ingresses ask for the same: the oldest. Ingresses of one second are ordered
// by "ns/name" descending, which is arbitrary but what ingress-nginx does, so that a migration
// keeps every winner.
#pragma once

#include "controller/kube/objects.h"

namespace headgate::translate {

// Strict weak order; the winner comes first.
inline bool Precedes(const kube::Ingress& a, const kube::Ingress& b) {
  if (a.meta.creation_time != b.meta.creation_time) {
    return a.meta.creation_time < b.meta.creation_time;
  }
  return a.meta.key.ToString() > b.meta.key.ToString();
}

}  // namespace headgate::translate
