#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "dataplane/config/compiled_config.h"
#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::config {

struct SettingsSpec {
  CompiledSettings settings;
  std::string default_certificate = "cert/default";
  std::string default_backend_cluster;  // empty: the built-in 404
  std::string ticket_keys;              // name of the SecretData; empty: none
};

// Fills in the defaults that snapshot.proto names and checks every value. A default-constructed
// SettingsSpec is what an empty Settings message compiles to.
absl::StatusOr<SettingsSpec> CompileSettings(const v1::Settings& settings);

}  // namespace headgate::config
