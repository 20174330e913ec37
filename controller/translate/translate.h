// Full translation: everything anew. The reference for the incremental Translator, and what
// admission and the golden tests use.
#pragma once

#include "absl/time/time.h"
#include "controller/state/cluster_state.h"
#include "controller/translate/last_good.h"
#include "controller/translate/options.h"
#include "controller/translate/translation.h"

namespace headgate::translate {

// Pure: no clock, no I/O, no logs, no globals. Equal arguments give equal bytes, whatever the order
// in which the state came to hold its objects. `now` is only compared with the dates of
// certificates.
Translation Translate(const state::ClusterState& state, const LastGood& last_good,
                      const Options& options, absl::Time now);

}  // namespace headgate::translate
