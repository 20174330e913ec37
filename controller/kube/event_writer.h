// Events (core/v1): what `kubectl describe` shows below an object.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "common/clock.h"
#include "controller/kube/json_api.h"
#include "controller/kube/objects.h"

namespace headgate::kube {

// Something that happened to a Service.
struct ServiceEvent {
  ObjectKey service;
  bool warning = false;  // else normal
  std::string reason;    // one word, such as "UnhealthyEndpoints"
  std::string message;
};

// Writes Events through a connection of its own. Needs leave to list Services, for their UIDs, and
// to create Events.
//
// Thread: one, which blocks; Cancel any.
class EventWriter {
 public:
  // `clock` outlives it.
  EventWriter(std::unique_ptr<Transport> transport, const Clock& clock)
      : api_(std::move(transport)), clock_(clock) {}

  // NOT_FOUND: there is no such Service (any more). REQUIRES: its names have the form of names, for
  // they become part of a path.
  absl::Status Write(const ServiceEvent& event);
  // Makes the present and every later call fail at once.
  void Cancel() { api_.Cancel(); }

 private:
  absl::StatusOr<std::string> UidOf(const ObjectKey& service);

  JsonApi api_;
  const Clock& clock_;
  uint64_t written_ = 0;  // makes names unique
};

}  // namespace headgate::kube
