#pragma once

#include "absl/status/statusor.h"
#include "dataplane/config/balancing.h"
#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::config {

absl::StatusOr<Balancing> CompileBalancing(const v1::Balancing& in);

}  // namespace headgate::config
