#include "controller/translate/annotations/health_settings.h"

#include "common/strings.h"

namespace headgate::translate {
namespace {

template <typename T>
void Fill(std::optional<T>& mine, const std::optional<T>& weaker) {
  if (!mine) mine = weaker;
}

void SetDuration(uint32_t milliseconds, google::protobuf::Duration& out) {
  out.set_seconds(milliseconds / 1000);
  out.set_nanos(static_cast<int32_t>(milliseconds % 1000 * 1'000'000));
}

v1::HealthCheck::Kind ToKind(HealthCheckKind kind) {
  switch (kind) {
    case HealthCheckKind::kHttp: return v1::HealthCheck::HTTP;
    case HealthCheckKind::kTcp: return v1::HealthCheck::TCP;
    case HealthCheckKind::kGrpc: return v1::HealthCheck::GRPC;
    case HealthCheckKind::kOff: break;
  }
  return v1::HealthCheck::KIND_UNSPECIFIED;
}

void SetCheck(const HealthSettings& settings, v1::HealthCheck& out) {
  out.set_kind(ToKind(*settings.check));
  if (settings.path) out.set_path(*settings.path);
  if (settings.host) out.set_host(*settings.host);
  if (settings.port) out.set_port(*settings.port);
  if (settings.interval) SetDuration(*settings.interval, *out.mutable_interval());
  if (settings.timeout) SetDuration(*settings.timeout, *out.mutable_timeout());
  if (settings.rise) out.set_rise(*settings.rise);
  if (settings.fall) out.set_fall(*settings.fall);
  if (!settings.expected_statuses) return;
  for (const auto& [first, last] : *settings.expected_statuses) {
    v1::StatusRange& range = *out.add_expected_statuses();
    range.set_first(first);
    range.set_last(last);
  }
}

void SetOutliers(const HealthSettings& settings, v1::Outliers& out) {
  out.set_max_fails(settings.max_fails.value_or(0));
  out.set_consecutive_5xx(settings.consecutive_5xx.value_or(0));
  if (settings.fail_timeout) SetDuration(*settings.fail_timeout, *out.mutable_fail_timeout());
  if (settings.ejection_time) SetDuration(*settings.ejection_time, *out.mutable_ejection_time());
  if (settings.max_ejected_percent) out.set_max_ejected_percent(*settings.max_ejected_percent);
}

void Append(std::string& out, std::string_view text) { StrAppend(&out, text, ","); }

template <typename T>
void Append(std::string& out, const std::optional<T>& value) {
  if (value) StrAppend(&out, *value);
  Append(out, "");
}

}  // namespace

void HealthSettings::FillFrom(const HealthSettings& weaker) {
  Fill(check, weaker.check);
  Fill(path, weaker.path);
  Fill(host, weaker.host);
  Fill(port, weaker.port);
  Fill(interval, weaker.interval);
  Fill(timeout, weaker.timeout);
  Fill(rise, weaker.rise);
  Fill(fall, weaker.fall);
  Fill(expected_statuses, weaker.expected_statuses);
  Fill(max_fails, weaker.max_fails);
  Fill(fail_timeout, weaker.fail_timeout);
  Fill(consecutive_5xx, weaker.consecutive_5xx);
  Fill(ejection_time, weaker.ejection_time);
  Fill(max_ejected_percent, weaker.max_ejected_percent);
  Fill(slow_start, weaker.slow_start);
  Fill(backup, weaker.backup);
}

void SetHealth(const HealthSettings& settings, v1::Cluster& out) {
  if (settings.check && *settings.check != HealthCheckKind::kOff) {
    SetCheck(settings, *out.mutable_health_check());
  }
  if (settings.max_fails.value_or(0) > 0 || settings.consecutive_5xx.value_or(0) > 0) {
    SetOutliers(settings, *out.mutable_outliers());
  }
  if (settings.slow_start.value_or(0) > 0)
    SetDuration(*settings.slow_start, *out.mutable_slow_start());
}

std::string Describe(const HealthSettings& settings) {
  std::string out;
  Append(out,
         settings.check ? std::optional<int>(static_cast<int>(*settings.check)) : std::nullopt);
  Append(out, settings.path);
  Append(out, settings.host);
  Append(out, settings.port);
  Append(out, settings.interval);
  Append(out, settings.timeout);
  Append(out, settings.rise);
  Append(out, settings.fall);
  if (settings.expected_statuses) {
    for (const auto& [first, last] : *settings.expected_statuses)
      StrAppend(&out, first, "-", last, " ");
  }
  Append(out, "");
  Append(out, settings.max_fails);
  Append(out, settings.fail_timeout);
  Append(out, settings.consecutive_5xx);
  Append(out, settings.ejection_time);
  Append(out, settings.max_ejected_percent);
  Append(out, settings.slow_start);
  if (settings.backup) {
    StrAppend(&out, settings.backup->service, ":",
              settings.backup->port ? settings.backup->port->ToString() : std::string());
  }
  return out;
}

}  // namespace headgate::translate
