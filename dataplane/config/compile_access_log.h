#pragma once

#include "absl/status/status.h"
#include "dataplane/config/compiled_config.h"
#include "proto/headgate/v1/access_log.pb.h"

namespace headgate::config {

// What the settings say of it.
absl::Status CompileAccessLog(const v1::AccessLog& in, CompiledSettings& out);

}  // namespace headgate::config
