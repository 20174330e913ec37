#include "controller/translate/config_map/limit_options.h"

namespace headgate::translate {

void ReadLimitOptions(OptionReader& reader, GlobalSettings& global) {
  for (size_t i = 0; i < kLimitOptions.size(); ++i) {
    const auto text = reader.Text(kLimitOptions[i]);
    if (!text) continue;
    const std::string_view accepted =
        ParseLimitSetting(kLimitNames[i], *text, global.upstream.limits);
    if (!accepted.empty()) reader.Ignore(kLimitOptions[i], accepted);
  }
}

}  // namespace headgate::translate
