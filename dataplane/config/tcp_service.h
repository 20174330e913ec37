#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "dataplane/codec/options.h"
#include "dataplane/config/cluster_handle.h"

namespace headgate::config {

// A port whose connections are passed on as they are: proto/headgate/v1/tcp.proto with defaults
// filled in.
struct TcpService {
  uint16_t port = 0;
  ClusterHandle cluster;
  std::string name;  // of the Service port, for metrics: "ns/service/port"
  codec::LoadBalancers load_balancers;
  std::chrono::milliseconds idle_timeout{600'000};
  size_t tries = 3;
  std::chrono::milliseconds tries_timeout{0};  // 0: no limit
  bool access_log = true;
};

// By port.
using TcpTable = std::map<uint16_t, std::shared_ptr<const TcpService>>;

}  // namespace headgate::config
