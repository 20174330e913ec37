#include "controller/translate/config_map/upstream_options.h"

#include <cstdint>
#include <limits>

#include "controller/translate/annotations/connections.h"
#include "controller/translate/annotations/load_balance.h"
#include "controller/translate/annotations/next_upstream.h"
#include "controller/translate/annotations/values.h"

namespace headgate::translate {
namespace {

constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
constexpr absl::Duration kLongestAge = absl::Hours(20 * 24);

void ReadRetries(OptionReader& reader, GlobalSettings& global) {
  NextUpstreamSettings retries;
  if (const auto text = reader.Text("proxy-next-upstream")) {
    retries.conditions = ParseNextUpstream(*text);
    if (!retries.conditions) reader.Ignore("proxy-next-upstream", kNextUpstreamValues);
  }
  if (reader.Bool("retry-non-idempotent").value_or(false)) {
    constexpr uint32_t kDefault = 1U << v1::NextUpstream::ERROR | 1U << v1::NextUpstream::TIMEOUT;
    retries.conditions =
        retries.conditions.value_or(kDefault) | 1U << v1::NextUpstream::NON_IDEMPOTENT;
  }
  if (const auto tries = reader.Int("proxy-next-upstream-tries", 0, kMost)) {
    retries.tries = static_cast<uint32_t>(*tries);
  }
  if (const auto timeout = reader.Int("proxy-next-upstream-timeout", 0, 1'000'000)) {
    retries.timeout = static_cast<uint32_t>(*timeout);
  }
  if (retries != NextUpstreamSettings())
    SetNextUpstream(retries, *global.settings.mutable_next_upstream());
}

void ReadTimeouts(OptionReader& reader, v1::Settings& settings) {
  if (const auto seconds = reader.Int("proxy-connect-timeout", 1, kMost))
    settings.mutable_timeouts()->mutable_connect()->set_seconds(*seconds);
  if (const auto seconds = reader.Int("proxy-send-timeout", 1, kMost))
    settings.mutable_timeouts()->mutable_send()->set_seconds(*seconds);
  if (const auto seconds = reader.Int("proxy-read-timeout", 1, kMost))
    settings.mutable_timeouts()->mutable_read()->set_seconds(*seconds);
}

void ReadKeepAlive(OptionReader& reader, v1::Settings& settings) {
  if (const auto count = reader.Int("upstream-keepalive-connections", 0, kMost)) {
    settings.mutable_limits()->set_upstream_idle_connections(static_cast<uint32_t>(*count));
  }
  if (const auto timeout = reader.Int("upstream-keepalive-timeout", 0, 1'000'000)) {
    settings.mutable_timeouts()->mutable_upstream_idle()->set_seconds(*timeout);
  }
  if (const auto age = reader.Text("upstream-keepalive-time")) {
    const std::optional<absl::Duration> parsed = ParseDuration(*age);
    if (parsed && *parsed >= absl::ZeroDuration() && *parsed <= kLongestAge) {
      settings.mutable_upstream_connection_age()->set_seconds(absl::ToInt64Seconds(*parsed));
    } else {
      reader.Ignore("upstream-keepalive-time", "a time up to 20 days, such as 1h, 30m or 90s");
    }
  }
  if (const auto count = reader.Int("upstream-keepalive-requests", 0, kMost)) {
    settings.mutable_limits()->set_max_requests_per_upstream_connection(
        static_cast<uint32_t>(*count));
  }
}

}  // namespace

void ReadUpstreamOptions(OptionReader& reader, GlobalSettings& global) {
  if (const auto text = reader.Text("load-balance")) {
    global.upstream.balancing.policy = ParseLoadBalance(*text);
    if (!global.upstream.balancing.policy) reader.Ignore("load-balance", kLoadBalanceValues);
  }
  if (const auto text = reader.Text("proxy-http-version")) {
    global.upstream.connections.http_1_0 = ParseHttpVersion(*text);
    if (!global.upstream.connections.http_1_0) reader.Ignore("proxy-http-version", kHttpVersions);
  }
  global.upstream.service_address = reader.Bool("service-upstream");
  ReadTimeouts(reader, global.settings);
  ReadRetries(reader, global);
  ReadKeepAlive(reader, global.settings);
}

}  // namespace headgate::translate
