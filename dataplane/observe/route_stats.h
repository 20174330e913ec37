#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "dataplane/observe/request_record.h"

namespace headgate::observe {

// The labels of one route's series.
struct RouteLabels {
  std::string host;  // the virtual host as configured; "_" for requests that matched none
  std::string ns;
  std::string ingress;
  std::string service;
  std::string service_port;
  std::string path;

  auto operator<=>(const RouteLabels&) const = default;
};

struct RouteCounters {
  // Upper bounds in seconds of the duration buckets, those of ingress-nginx; a last one is +Inf.
  static constexpr std::array<double, 11> kBounds = {.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10};

  std::array<uint64_t, 6> by_class{};  // [1] = 1xx … [5] = 5xx; [0]: none of these
  std::array<uint64_t, kBounds.size() + 1> duration_buckets{};  // not cumulated
  double duration_seconds = 0;
  uint64_t request_bytes = 0;
  uint64_t response_bytes = 0;

  void Add(const RouteCounters& other);
};

// Counts finished exchanges by route. One per worker, used on its thread; others see copies. The number of routes
// is bounded: beyond it requests are counted under the host "other".
class RouteStats {
 public:
  explicit RouteStats(size_t max_routes = 20'000) : max_routes_(max_routes) {}

  void Count(const RequestRecord& record);
  std::vector<std::pair<RouteLabels, RouteCounters>> Copy() const;

 private:
  // The labels joined by NUL, which none of them can hold.
  std::string key_;
  absl::flat_hash_map<std::string, RouteCounters> routes_;
  const size_t max_routes_;
};

}  // namespace headgate::observe
