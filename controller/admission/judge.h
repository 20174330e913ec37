// What would become of an Ingress that does not exist yet: the same translation, with the candidate
// added.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "controller/admission/host_index.h"
#include "controller/kube/objects.h"
#include "controller/state/cluster_state.h"
#include "controller/translate/translator.h"

namespace headgate::admission {

struct Verdict {
  bool allowed = true;
  std::string reason;                 // why not
  std::vector<std::string> warnings;  // what would not be as written
};

// Refuses what translation would refuse, in whole or in part: a form, annotation, host or path that
// cannot be used, and a path that an older Ingress has. What may yet come (a Service, a Secret) and
// what is ignored are warnings. An Ingress that would not be ours is allowed without a word. Costs
// what the candidate and the Ingresses of its hosts cost, and touches nothing. REQUIRES: `hosts` is
// of `state`.
Verdict Judge(kube::Ingress candidate, const state::ClusterState& state, const HostIndex& hosts,
              const translate::Translator& translator, absl::Time now);

}  // namespace headgate::admission
