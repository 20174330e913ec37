// A canary's part of the route that it attaches to.
#pragma once

#include "controller/translate/backends.h"
#include "controller/translate/model.h"
#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::translate {

struct CanaryChoice {
  ClusterChoice clusters;
  bool sessions_decided_anew = false;
};

// The clusters of a canary. They are spoken to as the main Ingress says; only how endpoints are
// picked is the canary's word, and its sessions are kept as the main one's unless it says
// otherwise.
CanaryChoice ChooseCanary(const IngressModel& canary, const IngressModel& main,
                          const BackendRef& backend);

void SetCanary(const CanarySettings& settings, const CanaryChoice& choice, v1::Canary& out);

}  // namespace headgate::translate
