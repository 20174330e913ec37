#pragma once

#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "dataplane/config/access.h"
#include "dataplane/config/cluster_handle.h"
#include "dataplane/config/compiled_config.h"
#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::config {

// What the settings say of it.
absl::Status CompileAccessSettings(const v1::Settings& in, CompiledSettings& out);

// The policies that routes have, each distinct one once however many routes of however many hosts
// ask for it. Control thread only.
class AccessPool {
 public:
  // What `in` says of it; null: nothing. `field`: where `in` is, for errors. Takes a handle of the
  // cluster that it names.
  absl::StatusOr<std::shared_ptr<const CompiledAccess>> Get(const std::string& field,
                                                            const v1::RoutePolicy& in,
                                                            ClusterRegistry& clusters);

  // Of policies in use, and perhaps of some that were.
  size_t size() const { return policies_.size(); }

 private:
  // By the bytes of their messages. Expired ones are swept out when there are twice as many as
  // after the last sweep.
  absl::flat_hash_map<std::string, std::weak_ptr<const CompiledAccess>> policies_;
  size_t sweep_at_ = 64;
};

}  // namespace headgate::config
