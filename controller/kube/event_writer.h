// Events (core/v1): what `kubectl describe` shows below an object.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "common/clock.h"
#include "controller/kube/json_api.h"
#include "controller/kube/objects.h"

namespace headgate::kube {

// Something that happened to an object.
struct Event {
  Kind kind = Kind::kIngress;
  ObjectKey object;
  std::string uid;       // of the object; empty: it is looked up
  bool warning = false;  // else normal
  std::string reason;    // one word, such as "UnhealthyEndpoints"
  std::string message;
};

// Writes Events through a connection of its own. What happens again is counted in the Event that is
// there, as client-go does; also when another controller wrote it, for the name of an Event is made
// from what it says. Needs leave to create and patch Events, and to list the kinds whose UIDs are
// looked up.
//
// Thread: one, which blocks; Cancel any.
class EventWriter {
 public:
  // Events whose count is kept in mind; beyond it all are forgotten, and of those that come again
  // the count stays.
  static constexpr size_t kMaxKnown = 4096;

  // `clock` outlives it.
  EventWriter(std::unique_ptr<Transport> transport, const Clock& clock)
      : api_(std::move(transport)), clock_(clock) {}

  // NOT_FOUND: there is no such object (any more). REQUIRES: its names have the form of names, for
  // they become part of a path.
  absl::Status Write(const Event& event);
  // Makes the present and every later call fail at once.
  void Cancel() { api_.Cancel(); }

 private:
  absl::StatusOr<std::string> UidOf(Kind kind, const ObjectKey& object);
  absl::Status Create(const ObjectKey& name, const Event& event, const std::string& uid);
  // Another one like it. NOT_FOUND: it is no longer there.
  absl::Status Count(const ObjectKey& name);
  void Know(const ObjectKey& name, int64_t count);

  JsonApi api_;
  const Clock& clock_;
  // How often each Event was seen; 0: it is there, and its count is not known.
  absl::flat_hash_map<ObjectKey, int64_t> known_;
};

}  // namespace headgate::kube
