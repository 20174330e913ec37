#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/log.h"
#include "dataplane/admin/nginx_metrics.h"
#include "dataplane/base/address.h"
#include "dataplane/control/snapshot_client.h"

namespace headgate::app {

// Everything the command line says, checked and with defaults filled in.
struct Options {
  control::ClientOptions controller;

  std::vector<base::Address> http_listen;
  std::vector<base::Address> https_listen;
  base::Address admin_listen;

  int workers = 0;             // 0: one per usable core
  size_t max_connections = 0;  // 0: what the descriptor limit allows
  std::string state_dir;       // empty: nothing survives the process
  std::string spill_dir;       // where bodies go that do not fit in memory
  uint64_t spill_limit = 0;    // bytes of all of them; 0: none
  std::vector<std::pair<std::string, std::string>> static_roots;  // name and directory
  std::string access_log;                                         // "-", "off" or a path
  bool allow_local_dns = false;
  std::optional<admin::NginxLabels>
      nginx_metrics;  // nothing: no series under the names of ingress-nginx

  absl::Duration drain_delay;    // readiness is false, connections are still accepted
  absl::Duration drain_timeout;  // then for exchanges to finish

  LogOptions log;
};

// Reads the command line. An exit code means that the program is to end now: help was asked for, or
// something is wrong and has been reported in one line.
std::optional<int> ReadOptions(int argc, const char* const* argv, Options* options);

}  // namespace headgate::app
