#pragma once

#include "dataplane/config/body_policy.h"
#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::config {

// Every value is valid: sizes out of bounds are moved to the bound.
BufferingOverride CompileBuffering(const v1::Buffering& in);

}  // namespace headgate::config
