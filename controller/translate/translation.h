// What translation returns: resources of the snapshot, and diagnostics.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "controller/translate/diagnostic.h"
#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::translate {

// Immutable and shared: the translator's memo and the publisher hold the same object. Complete:
// name, hash and provenance are set.
using ResourcePtr = std::shared_ptr<const v1::Resource>;

// A whole snapshot.
struct Translation {
  std::vector<ResourcePtr> resources;   // sorted by name, each name once
  std::vector<Diagnostic> diagnostics;  // sorted, each once
};

// What one batch of changes did to the snapshot. The sum of all updates of a translator is a
// Translation.
struct TranslationUpdate {
  // New resources and those whose content changed (the hash differs from the one held before),
  // sorted by name.
  std::vector<ResourcePtr> upserted;
  // Names of resources that are gone, sorted; none of them is in `upserted`.
  std::vector<std::string> removed;
  // Diagnostics that hold now and did not before, and the other way round. Both sorted.
  std::vector<Diagnostic> raised;
  std::vector<Diagnostic> cleared;
  // Number of resources in the snapshot after this update.
  size_t resource_count = 0;

  bool ChangesSnapshot() const { return !upserted.empty() || !removed.empty(); }
};

}  // namespace headgate::translate
