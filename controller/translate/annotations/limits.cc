#include "controller/translate/annotations/limits.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "controller/translate/annotations/values.h"

namespace headgate::translate {
namespace {

struct Setting {
  std::optional<uint32_t> LimitSettings::*field;
  int64_t most;
  std::string_view accepted;
};
constexpr std::string_view kCountValues = "a whole number from 0 to 1000000";

// In the order of kLimitNames.
constexpr std::array<Setting, kLimitNames.size()> kSettings = {{
    {&LimitSettings::max_connections, 1'000'000, kCountValues},
    {&LimitSettings::max_pending, 1'000'000, kCountValues},
    {&LimitSettings::max_requests_per_endpoint, 1'000'000, kCountValues},
    {&LimitSettings::warm_connections, 100, "a whole number from 0 to 100"},
}};

}  // namespace

std::string_view ParseLimitSetting(std::string_view name, std::string_view value,
                                   LimitSettings& out) {
  const auto at = static_cast<size_t>(std::find(kLimitNames.begin(), kLimitNames.end(), name) -
                                      kLimitNames.begin());
  const Setting& setting = kSettings[at];
  const std::optional<int64_t> number = ParseInt(value);
  if (!number || *number < 0 || *number > setting.most) return setting.accepted;
  out.*setting.field = static_cast<uint32_t>(*number);
  return {};
}

void ReadLimits(AnnotationReader& reader, UpstreamSettings& settings) {
  for (const std::string_view name : kLimitNames) {
    const std::string* value = reader.Find(name);
    if (value == nullptr) continue;
    const std::string_view accepted = ParseLimitSetting(name, *value, settings.limits);
    if (!accepted.empty()) reader.Ignore(name, accepted);
  }
}

}  // namespace headgate::translate
