#include "controller/translate/config_map/health_options.h"

namespace headgate::translate {

void ReadHealthOptions(OptionReader& reader, GlobalSettings& global) {
  for (size_t i = 0; i < kHealthOptions.size(); ++i) {
    const auto text = reader.Text(kHealthOptions[i]);
    if (!text) continue;
    const std::string_view accepted =
        ParseHealthSetting(kHealthNames[i], *text, global.upstream.health);
    if (!accepted.empty()) reader.Ignore(kHealthOptions[i], accepted);
  }
}

}  // namespace headgate::translate
