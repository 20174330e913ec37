// What a running data plane says it serves (/config of its admin port), in the form of a snapshot,
// so that requests can be held against it.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "controller/translate/translation.h"

namespace headgate::cli {

struct DataPlaneView {
  // Virtual hosts, clusters and endpoints, with as much of each as the page tells.
  translate::Translation translation;
  // By address ("192.0.2.1:8080"): what is wrong with an endpoint, as its probe says.
  std::map<std::string, std::string> unhealthy;
};

// `page`: what /config says.
absl::StatusOr<DataPlaneView> ReadConfigPage(std::string_view page);

}  // namespace headgate::cli
