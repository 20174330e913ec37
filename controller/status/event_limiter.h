#pragma once

#include <cstddef>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "controller/kube/objects.h"

namespace headgate::status {

// How many Events one object may have, by the figures of client-go's recorder: 25 at once, then one
// in five minutes. So an object that changes all the time does not fill the store of its cluster.
//
// Pure but for the time it is given, which never goes back; not thread-safe.
class EventLimiter {
 public:
  static constexpr int kBurst = 25;
  static constexpr absl::Duration kRefill = absl::Minutes(5);
  // Objects that are kept in mind; beyond it those that have been quiet for long are forgotten, and
  // if there are none, all.
  static constexpr size_t kMaxKnown = 4096;

  // Whether the object may have one more now.
  bool Admit(const kube::ObjectKey& object, absl::Duration now);

 private:
  // When all of the burst may be used again.
  absl::flat_hash_map<kube::ObjectKey, absl::Duration> rested_at_;
};

}  // namespace headgate::status
