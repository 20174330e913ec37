#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "dataplane/config/client_auth_index.h"
#include "dataplane/config/cluster_handle.h"
#include "dataplane/config/compile_access.h"
#include "dataplane/config/compiled_config.h"
#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::config {

struct CompiledHost {
  std::shared_ptr<const route::HostRoutes> routes;
  // Names of Certificate resources, most preferred first.
  std::vector<std::string> certificates;
  std::optional<ClientAuthSpec> client_auth;
  std::optional<PassthroughRule> passthrough;
};

// Takes handles of the clusters that the routes name, whether these exist or not. When the host is
// refused, no handle is left behind.
absl::StatusOr<CompiledHost> CompileVirtualHost(const v1::VirtualHost& host,
                                                ClusterRegistry& clusters, AccessPool& access);

}  // namespace headgate::config
