// What an Ingress refers to: whether it is there.
#pragma once

#include <vector>

#include "controller/state/cluster_state.h"
#include "controller/translate/diagnostic.h"
#include "controller/translate/model.h"
#include "controller/translate/options.h"

namespace headgate::translate {

// What the backends of an Ingress suffer from, per field. Those of an Ingress that answers from a
// directory are not used.
std::vector<Diagnostic> CheckReferences(const IngressModel& model, const state::ClusterState& state,
                                        const Options& options);

}  // namespace headgate::translate
