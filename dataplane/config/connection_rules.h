#pragma once

#include <chrono>
#include <cstdint>

namespace headgate::config {

// Connections with the endpoints of a cluster, where it says otherwise than the settings.
// proto/headgate/v1/snapshot.proto, Cluster.
struct ConnectionRules {
  bool http_1_0 = false;                      // HTTP/1.0 is spoken, with one request on each
  std::chrono::milliseconds idle_timeout{0};  // here and below 0: as the settings say
  uint32_t max_requests = 0;
  uint32_t idle_connections = 0;  // that each worker keeps with each endpoint
  bool operator==(const ConnectionRules&) const = default;
};

}  // namespace headgate::config
