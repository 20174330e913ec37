// What a running data plane says it serves (/config of its admin port), in the form of a snapshot, so that requests can be
// held against it.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/host_port.h"
#include "controller/translate/translation.h"

namespace headgate::cli {

struct DataPlaneView {
  // Virtual hosts, clusters and endpoints, with as much of each as the page tells.
  translate::Translation translation;
  // By address ("192.0.2.1:8080"): what is wrong with an endpoint, as its probe says.
  std::map<std::string, std::string> unhealthy;
};

// GET /config. Waits for `timeout` at most, in each of its steps.
absl::StatusOr<std::string> FetchConfigPage(const HostPort& admin, absl::Duration timeout);

absl::StatusOr<DataPlaneView> ReadConfigPage(std::string_view page);

}  // namespace headgate::cli
