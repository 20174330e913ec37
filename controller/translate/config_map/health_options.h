// The options by which upstreams are watched whose Service and Ingresses say nothing: the
// annotations of annotations/health.h without prefix, but for backup-service, whose namespace is an
// upstream's.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/annotations/health.h"
#include "controller/translate/config_map/reader.h"
#include "controller/translate/config_map/settings.h"

namespace headgate::translate {

inline constexpr auto kHealthOptions = [] {
  std::array<std::string_view, kHealthNames.size() - 1> names;
  for (size_t i = 0; i < names.size(); ++i)
    names[i] = kHealthNames[i].substr(kHeadgatePrefix.size());
  return names;
}();

void ReadHealthOptions(OptionReader& reader, GlobalSettings& global);

}  // namespace headgate::translate
