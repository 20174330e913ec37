// The options by which upstreams are limited whose Service and Ingresses say nothing: the
// annotations of annotations/limits.h without prefix.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/annotations/limits.h"
#include "controller/translate/config_map/reader.h"
#include "controller/translate/config_map/settings.h"

namespace headgate::translate {

inline constexpr auto kLimitOptions = [] {
  std::array<std::string_view, kLimitNames.size()> names;
  for (size_t i = 0; i < names.size(); ++i)
    names[i] = kLimitNames[i].substr(kHeadgatePrefix.size());
  return names;
}();

void ReadLimitOptions(OptionReader& reader, GlobalSettings& global);

}  // namespace headgate::translate
