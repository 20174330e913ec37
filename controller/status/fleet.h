// How many data planes there are, whichever controller they are connected to.
#pragma once

#include <cstddef>

#include "controller/state/cluster_state.h"

namespace headgate::status {

// Pods that the Service leads to, if it is the one by which clients reach data planes
// (--publish-service); those that are going but still serve count. 0: its endpoints are not known.
size_t CountDataPlanes(const state::ClusterState& state, const kube::ObjectKey& service);

}  // namespace headgate::status
