#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "dataplane/config/tcp_service.h"
#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::config {

// Whether the port can be had shows when it is opened.
absl::StatusOr<std::shared_ptr<const TcpService>> CompileTcpService(const v1::TcpService& in,
                                                                    ClusterRegistry& clusters);

}  // namespace headgate::config
