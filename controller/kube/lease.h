// coordination.k8s.io/v1 Lease: an object that says who does what only one may do.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "controller/kube/json_api.h"

namespace headgate::kube {

// What a Lease says.
struct LeaseRecord {
  std::string holder;       // .spec.holderIdentity; empty: nobody's
  absl::Duration duration;  // .spec.leaseDurationSeconds; whole seconds
  std::string acquired;     // .spec.acquireTime, as written
  std::string renewed;      // .spec.renewTime, as written
  int64_t transitions = 0;  // .spec.leaseTransitions
  friend bool operator==(const LeaseRecord&, const LeaseRecord&) = default;
};

struct Lease {
  LeaseRecord record;
  Json document;  // all of it, so that a change keeps what others wrote there
};

// Reads and writes one Lease. Needs leave to get, create and update Leases in its namespace.
//
// Thread: one, which blocks.
class LeaseClient {
 public:
  LeaseClient(std::unique_ptr<Transport> transport, ObjectKey lease)
      : api_(std::move(transport)), key_(std::move(lease)) {}

  // Errors as of JsonApi; INVALID_ARGUMENT: there is a Lease that cannot be read.
  absl::StatusOr<Lease> Read();
  // ABORTED: there is one by now.
  absl::StatusOr<Lease> Create(const LeaseRecord& record);
  // ABORTED: `lease` is not the newest form any more.
  absl::StatusOr<Lease> Update(const Lease& lease, const LeaseRecord& record);

 private:
  JsonApi api_;
  const ObjectKey key_;
};

}  // namespace headgate::kube
