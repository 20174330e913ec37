#include "dataplane/config/compile_health.h"

#include <cstdint>
#include <utility>

#include "dataplane/config/compile_values.h"

namespace headgate::config {
namespace {

constexpr Duration kShortestInterval{100};
constexpr size_t kMaxTextSize = 2048;
constexpr uint32_t kMostInARow = 1000;

absl::Status CompileTimes(const v1::HealthCheck& in, HealthCheck& out) {
  if (in.has_interval()) {
    HEADGATE_ASSIGN_OR_RETURN(out.interval, CompileDuration("health_check.interval", in.interval(),
                                                            ZeroDuration::kRefused));
    if (out.interval < kShortestInterval)
      return FieldError("health_check.interval", "is below 100 ms");
  }
  if (in.has_timeout()) {
    HEADGATE_ASSIGN_OR_RETURN(
        out.timeout, CompileDuration("health_check.timeout", in.timeout(), ZeroDuration::kRefused));
  }
  HEADGATE_RETURN_IF_ERROR(CheckRange("health_check.rise", in.rise(), 0, kMostInARow));
  HEADGATE_RETURN_IF_ERROR(CheckRange("health_check.fall", in.fall(), 0, kMostInARow));
  if (in.rise() != 0) out.rise = in.rise();
  if (in.fall() != 0) out.fall = in.fall();
  return absl::OkStatus();
}

// What goes into the head of a request: no blanks either, which would end the path.
absl::Status CheckHeadText(std::string_view field, std::string_view text) {
  HEADGATE_RETURN_IF_ERROR(CheckPrintable(field, text));
  if (text.find(' ') != std::string_view::npos) return FieldError(field, "has a blank in it");
  return CheckRange(field, text.size(), 0, kMaxTextSize);
}

}  // namespace

absl::StatusOr<HealthCheck> CompileHealthCheck(const v1::HealthCheck& in) {
  HealthCheck out;
  switch (in.kind()) {
    case v1::HealthCheck::HTTP: out.kind = HealthCheck::Kind::kHttp; break;
    case v1::HealthCheck::TCP: out.kind = HealthCheck::Kind::kTcp; break;
    case v1::HealthCheck::GRPC: out.kind = HealthCheck::Kind::kGrpc; break;
    default: return FieldError("health_check.kind", "unknown kind");
  }
  HEADGATE_RETURN_IF_ERROR(CompileTimes(in, out));
  HEADGATE_RETURN_IF_ERROR(CheckHeadText("health_check.path", in.path()));
  HEADGATE_RETURN_IF_ERROR(CheckHeadText("health_check.host", in.host()));
  if (!in.path().empty()) out.path = in.path();
  if (!out.path.starts_with('/')) return FieldError("health_check.path", "does not start with '/'");
  out.host = in.host();
  HEADGATE_RETURN_IF_ERROR(CheckRange("health_check.port", in.port(), 0, 65535));
  out.port = static_cast<uint16_t>(in.port());
  if (in.expected_statuses_size() > 0) out.expected_statuses.clear();
  for (const v1::StatusRange& range : in.expected_statuses()) {
    if (range.first() < 200 || range.last() > 599 || range.first() > range.last()) {
      return FieldError("health_check.expected_statuses", "a range that is not within 200 to 599");
    }
    out.expected_statuses.push_back(
        {static_cast<uint16_t>(range.first()), static_cast<uint16_t>(range.last())});
  }
  return out;
}

absl::StatusOr<OutlierPolicy> CompileOutliers(const v1::Outliers& in) {
  OutlierPolicy out;
  out.max_fails = in.max_fails();
  out.consecutive_5xx = in.consecutive_5xx();
  if (in.has_fail_timeout()) {
    HEADGATE_ASSIGN_OR_RETURN(
        out.fail_timeout,
        CompileDuration("outliers.fail_timeout", in.fail_timeout(), ZeroDuration::kRefused));
  }
  if (in.has_ejection_time()) {
    HEADGATE_ASSIGN_OR_RETURN(
        out.ejection_time,
        CompileDuration("outliers.ejection_time", in.ejection_time(), ZeroDuration::kRefused));
  }
  HEADGATE_RETURN_IF_ERROR(
      CheckRange("outliers.max_ejected_percent", in.max_ejected_percent(), 0, 100));
  if (in.max_ejected_percent() != 0) out.max_ejected_percent = in.max_ejected_percent();
  return out;
}

std::string Describe(const HealthCheck& check) {
  std::string text = StrCat(int{static_cast<uint8_t>(check.kind)}, " ", check.path, " ", check.host,
                            " ", check.port, " ", check.interval.count(), " ",
                            check.timeout.count(), " ", check.rise, " ", check.fall);
  for (const StatusRange& range : check.expected_statuses)
    StrAppend(&text, " ", range.first, "-", range.last);
  return text;
}

}  // namespace headgate::config
