#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// How the endpoints of a cluster are watched and what becomes of those that fail. See HealthCheck
// and Outliers in proto/headgate/v1/snapshot.proto.
namespace headgate::config {

struct StatusRange {
  uint16_t first = 200;
  uint16_t last = 399;
  bool operator==(const StatusRange&) const = default;
};

struct HealthCheck {
  enum class Kind : uint8_t { kHttp, kTcp, kGrpc };
  Kind kind = Kind::kHttp;
  std::string path = "/";
  std::string host;   // empty: the endpoint's address and port
  uint16_t port = 0;  // 0: the endpoint's
  std::chrono::milliseconds interval{5'000};
  std::chrono::milliseconds timeout{2'000};
  uint32_t rise = 2;
  uint32_t fall = 3;
  std::vector<StatusRange> expected_statuses = {StatusRange{}};
  bool operator==(const HealthCheck&) const = default;
};

// A limit of 0 is none.
struct OutlierPolicy {
  uint32_t max_fails = 0;
  std::chrono::milliseconds fail_timeout{10'000};
  uint32_t consecutive_5xx = 0;
  std::chrono::milliseconds ejection_time{30'000};
  uint32_t max_ejected_percent = 10;
  bool operator==(const OutlierPolicy&) const = default;

  bool enabled() const { return max_fails > 0 || consecutive_5xx > 0; }
};

// All of it for one cluster; of most clusters there is nothing to say.
struct UpstreamHealth {
  std::optional<HealthCheck> check;
  // With `check`: clusters whose probes would be the same have the same group, and share them. It
  // stays the same over changes of endpoints, of secrets and of routes.
  std::string group;
  // With `check`: name of the Endpoints resource, DNS name or address, for display.
  std::string source;
  OutlierPolicy outliers;
  std::chrono::milliseconds slow_start{0};
  std::string backup_endpoints;  // name of an Endpoints resource; empty: none

  // Whether something is to be kept of each endpoint.
  bool any_state() const { return check || outliers.enabled() || slow_start.count() > 0; }
};

}  // namespace headgate::config
