// Flags of the controller that decide what Ingresses mean: commands take them to say what a
// controller with them will do.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/flags.h"
#include "controller/translate/options.h"

namespace headgate::cli {

struct ControllerFlags {
  std::string configmap;
  std::string default_backend_service;
  std::string default_ssl_certificate;
  bool enable_ssl_passthrough = false;
  std::string annotations_prefix = "nginx.ingress.kubernetes.io";
  bool disable_catch_all = false;
};

// A group of its own in --help.
void DeclareControllerFlags(ControllerFlags& options, FlagSet& flags);

// The error names the flag.
absl::StatusOr<translate::Options> ToTranslateOptions(const ControllerFlags& options);

}  // namespace headgate::cli
