#pragma once

#include "absl/status/statusor.h"
#include "dataplane/config/body_policy.h"
#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::config {

// Every value is valid: sizes out of bounds are moved to the bound.
BufferingOverride CompileBuffering(const v1::Buffering& in);

// Levels out of bounds are moved to the bound; a media type that is none is an error.
absl::StatusOr<Compression> CompileCompression(const v1::Compression& in);

}  // namespace headgate::config
