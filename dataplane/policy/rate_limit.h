// How much a client may ask for: NGINX's limit_req (without delay) and limit_conn.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "dataplane/policy/address_set.h"

namespace headgate::policy {

// A leaky bucket. In thousandths of a request: what leaks in a second, and what it holds beyond the
// first request.
struct RequestRate {
  int64_t per_second = 0;  // 0: no limit
  int64_t burst = 0;
};

// proto/headgate/v1/access.proto, RateLimits.
struct RateLimits {
  std::string zone;
  RequestRate second;
  RequestRate minute;
  uint32_t connections = 0;  // 0: no limit
  AddressSet exempt;
  bool shared = false;  // of all data planes together

  static RequestRate PerSecond(uint32_t requests, uint32_t burst) {
    return {int64_t{requests} * 1000, int64_t{burst} * 1000};
  }
  static RequestRate PerMinute(uint32_t requests, uint32_t burst) {
    return {int64_t{requests} * 1000 / 60, int64_t{burst} * 1000};
  }
};

// What one of so many data planes lets through of limits that they share, `zone` and `exempt`
// apart. Of each limit at least one request.
RateLimits PartOf(const RateLimits& all, uint32_t data_planes);

// A client in a zone.
struct LimitKey {
  std::array<uint64_t, 2> words{};
  bool operator==(const LimitKey&) const = default;
};

// What one client has asked for lately.
class RequestCounter {
 public:
  RequestCounter() = default;
  // With the first request, which is always let through.
  RequestCounter(const RateLimits& limits, int64_t now) : last_(now) { Rest(limits); }

  // Whether one more request keeps to both rates; if so it is counted for both. Times are in
  // milliseconds; one that is before the last counts as that.
  bool Admit(const RateLimits& limits, int64_t now);
  // From then on the next request finds what the first one found.
  int64_t rested() const { return rested_; }

 private:
  void Rest(const RateLimits& limits);

  int64_t last_ = 0;
  int64_t rested_ = 0;
  int64_t second_ = 0;  // excess, in thousandths of a request
  int64_t minute_ = 0;
};

}  // namespace headgate::policy
