// Decides when a batch of changes is released: after a short quiet time, but no later than a cap
// after the first change, so that neither a burst is translated piecemeal nor a steady stream waits
// for ever.
//
// Pure: times are values of a monotonic clock. Thread: the owner's.
#pragma once

#include <optional>

#include "absl/time/time.h"

namespace headgate::state {

class Batcher {
 public:
  struct Options {
    // Release when nothing came for this long...
    absl::Duration quiet = absl::Milliseconds(2);
    // ... or when the first change is this old.
    absl::Duration cap = absl::Milliseconds(20);
  };

  explicit Batcher(Options options) : options_(options) {}

  // A change arrived. `now` never goes back from call to call.
  void OnChange(absl::Duration now);
  // When the batch is due; nothing while there is no change.
  std::optional<absl::Duration> Deadline() const;
  bool Due(absl::Duration now) const;
  // The batch was released.
  void Clear();

 private:
  const Options options_;
  std::optional<absl::Duration> first_;
  absl::Duration last_;
};

}  // namespace headgate::state
