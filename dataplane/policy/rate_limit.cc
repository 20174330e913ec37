#include "dataplane/policy/rate_limit.h"

#include <algorithm>

namespace headgate::policy {
namespace {

// What the bucket holds when one more request has come, as ngx_http_limit_req_lookup has it.
int64_t ExcessAfter(int64_t excess, const RequestRate& rate, int64_t elapsed) {
  if (rate.per_second == 0) return 0;
  return std::max<int64_t>(0, excess - rate.per_second * elapsed / 1000 + 1000);
}

// How long until one more request finds the bucket as if there had been none.
int64_t RestOf(int64_t excess, const RequestRate& rate) {
  return rate.per_second == 0 ? 0
                              : ((excess + 1000) * 1000 + rate.per_second - 1) / rate.per_second;
}

RequestRate PartOf(const RequestRate& all, int64_t least, uint32_t data_planes) {
  if (all.per_second == 0) return all;
  return {std::max(least, all.per_second / data_planes), all.burst / data_planes};
}

}  // namespace

RateLimits PartOf(const RateLimits& all, uint32_t data_planes) {
  RateLimits part;
  part.second = PartOf(all.second, RateLimits::PerSecond(1, 0).per_second, data_planes);
  part.minute = PartOf(all.minute, RateLimits::PerMinute(1, 0).per_second, data_planes);
  if (all.connections != 0) part.connections = std::max<uint32_t>(1, all.connections / data_planes);
  return part;
}

bool RequestCounter::Admit(const RateLimits& limits, int64_t now) {
  const int64_t elapsed = std::max<int64_t>(0, now - last_);
  const int64_t second = ExcessAfter(second_, limits.second, elapsed);
  const int64_t minute = ExcessAfter(minute_, limits.minute, elapsed);
  if (second > limits.second.burst || minute > limits.minute.burst) return false;
  second_ = second;
  minute_ = minute;
  if (elapsed > 0) last_ = now;
  Rest(limits);
  return true;
}

void RequestCounter::Rest(const RateLimits& limits) {
  rested_ = last_ + std::max(RestOf(second_, limits.second), RestOf(minute_, limits.minute));
}

}  // namespace headgate::policy
