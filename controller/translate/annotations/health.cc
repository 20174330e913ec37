#include "controller/translate/annotations/health.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "absl/strings/ascii.h"
#include "controller/translate/annotations/values.h"

namespace headgate::translate {
namespace {

// A setting's value by its type; false: bad. Each accepts what the line in kSettings says.
using Parse = bool (*)(std::string_view value, HealthSettings& out);

std::optional<uint32_t> ParseNumber(std::string_view text, int64_t least, int64_t most) {
  const std::optional<int64_t> value = ParseInt(text);
  if (!value || *value < least || *value > most) return std::nullopt;
  return static_cast<uint32_t>(*value);
}

std::optional<uint32_t> ParseMilliseconds(std::string_view text, int64_t least) {
  constexpr absl::Duration kMost = absl::Hours(24);
  const std::optional<absl::Duration> value = ParseDuration(text);
  if (!value || *value < absl::Milliseconds(least) || *value > kMost) return std::nullopt;
  return static_cast<uint32_t>(absl::ToInt64Milliseconds(*value));
}

template <std::optional<uint32_t> HealthSettings::*kField, int64_t kLeast, int64_t kMost>
bool Number(std::string_view value, HealthSettings& out) {
  out.*kField = ParseNumber(value, kLeast, kMost);
  return (out.*kField).has_value();
}

template <std::optional<uint32_t> HealthSettings::*kField, int64_t kLeast>
bool Time(std::string_view value, HealthSettings& out) {
  out.*kField = ParseMilliseconds(value, kLeast);
  return (out.*kField).has_value();
}

bool Check(std::string_view value, HealthSettings& out) {
  if (value == "off") out.check = HealthCheckKind::kOff;
  if (value == "http") out.check = HealthCheckKind::kHttp;
  if (value == "tcp") out.check = HealthCheckKind::kTcp;
  if (value == "grpc") out.check = HealthCheckKind::kGrpc;
  return out.check.has_value();
}

// What goes into a request head as it is.
bool IsHeadText(std::string_view text) {
  constexpr size_t kMost = 1024;
  return !text.empty() && text.size() <= kMost && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isgraph(static_cast<unsigned char>(c));
  });
}

bool Path(std::string_view value, HealthSettings& out) {
  if (!IsHeadText(value) || !value.starts_with('/')) return false;
  out.path = value;
  return true;
}

bool Host(std::string_view value, HealthSettings& out) {
  const bool good = IsHeadText(value) && std::all_of(value.begin(), value.end(), [](char c) {
                      return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                             std::string_view("-_.:[]").find(c) != std::string_view::npos;
                    });
  if (good) out.host = value;
  return good;
}

bool Statuses(std::string_view value, HealthSettings& out) {
  std::vector<std::pair<uint32_t, uint32_t>> ranges;
  for (const std::string_view item : SplitList(value)) {
    const size_t dash = std::min(item.find('-'), item.size());
    const auto first = ParseNumber(item.substr(0, dash), 200, 599);
    const auto last = dash == item.size() ? first : ParseNumber(item.substr(dash + 1), 200, 599);
    if (!first || !last || *first > *last) return false;
    ranges.emplace_back(*first, *last);
  }
  if (ranges.empty()) return false;
  out.expected_statuses = std::move(ranges);
  return true;
}

bool Backup(std::string_view value, HealthSettings& out) {
  const size_t colon = std::min(value.find(':'), value.size());
  HealthSettings::Backup backup{.service = std::string(value.substr(0, colon)),
                                .port = std::nullopt};
  const auto is_name = [](std::string_view name) {
    return !name.empty() && name.size() <= 63 && std::all_of(name.begin(), name.end(), [](char c) {
      return absl::ascii_islower(static_cast<unsigned char>(c)) ||
             absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '-';
    });
  };
  if (!is_name(backup.service)) return false;
  if (colon < value.size()) {
    const std::string_view port = value.substr(colon + 1);
    if (!is_name(port)) return false;
    backup.port.emplace();
    if (const auto number = ParseNumber(port, 1, 65535)) {
      backup.port->number = static_cast<uint16_t>(*number);
    } else {
      backup.port->name = port;
    }
  }
  out.backup = std::move(backup);
  return true;
}

constexpr std::string_view kTimeValues = "a time up to a day, such as 10s, 500ms or 1m30s";
constexpr std::string_view kCountValues = "a whole number from 0 to 1000000";

struct Setting {
  Parse parse;
  std::string_view accepted;
};
using S = HealthSettings;

// In the order of kHealthNames.
constexpr std::array<Setting, kHealthNames.size()> kSettings = {{
    {Check, "http, tcp, grpc or off"},
    {Path, "a path that begins with '/', without blanks"},
    {Host, "a host name, perhaps with a port"},
    {Number<&S::port, 1, 65535>, "a port number"},
    {Time<&S::interval, 100>, "a time from 100ms to a day, such as 10s, 500ms or 1m30s"},
    {Time<&S::timeout, 1>, kTimeValues},
    {Number<&S::rise, 1, 1000>, "a whole number from 1 to 1000"},
    {Number<&S::fall, 1, 1000>, "a whole number from 1 to 1000"},
    {Statuses, "statuses and ranges of them from 200 to 599, such as 200-299,401"},
    {Number<&S::max_fails, 0, 1'000'000>, kCountValues},
    {Time<&S::fail_timeout, 1>, kTimeValues},
    {Number<&S::consecutive_5xx, 0, 1'000'000>, kCountValues},
    {Time<&S::ejection_time, 1>, kTimeValues},
    {Number<&S::max_ejected_percent, 1, 100>, "a whole number from 1 to 100"},
    {Time<&S::slow_start, 0>, kTimeValues},
    {Backup, "the name of a Service of this namespace, perhaps with ':' and one of its ports"},
}};

}  // namespace

std::string_view ParseHealthSetting(std::string_view name, std::string_view value,
                                    HealthSettings& out) {
  const auto at = static_cast<size_t>(std::find(kHealthNames.begin(), kHealthNames.end(), name) -
                                      kHealthNames.begin());
  return kSettings[at].parse(value, out) ? std::string_view() : kSettings[at].accepted;
}

void ReadHealth(AnnotationReader& reader, UpstreamSettings& settings) {
  for (const std::string_view name : kHealthNames) {
    const std::string* value = reader.Find(name);
    if (value == nullptr) continue;
    const std::string_view accepted = ParseHealthSetting(name, *value, settings.health);
    if (!accepted.empty()) reader.Ignore(name, accepted);
  }
}

}  // namespace headgate::translate
