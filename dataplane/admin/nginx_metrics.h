#pragma once

#include <cstdint>
#include <string>

#include "common/metrics.h"
#include "dataplane/observe/route_stats.h"
#include "dataplane/worker/worker_pool.h"

// What we count under the names that ingress-nginx gives it (nginx_ingress_controller_…), so that
// dashboards and alerts made for it go on working. docs/metrics.md says where the two differ.
namespace headgate::admin {

// Labels of every series; where dashboards look for a Pod of the controller they find this data
// plane.
struct NginxLabels {
  std::string controller_class = "headgate.dev/ingress-controller";
  std::string controller_namespace;
  std::string controller_pod;
};

// What takes the place of reloads.
struct NginxReloads {
  bool last_successful = false;  // everything that the controller sends is in effect
  uint64_t successes = 0;        // changes taken in
  uint64_t errors = 0;           // changes that had to be asked for again
  std::string version;           // of what was taken in last
  int64_t last_change = 0;       // when, in seconds since the epoch
};

// All but the series of routes. Thread: any.
void CollectNginx(const NginxLabels& labels, const worker::WorkerPool& workers,
                  const NginxReloads& reloads, MetricsWriter& out);

// Whether ingress-nginx has series for a route: those of named hosts, not of wildcards or of every
// host.
bool HasNginxSeries(const observe::RouteLabels& route);
MetricLabels NginxRouteLabels(const NginxLabels& labels, const observe::RouteLabels& route);

}  // namespace headgate::admin
