#pragma once

#include <vector>

#include "dataplane/health/checker.h"
#include "proto/headgate/v1/discovery.pb.h"

namespace headgate::app {

// What probes say, as the controller is told: bounded, whatever the number of upstreams. Several
// checks of one upstream are one entry, that of the check with the most unhealthy endpoints.
v1::HealthReport MakeHealthReport(const std::vector<health::UpstreamStatus>& upstreams);

}  // namespace headgate::app
