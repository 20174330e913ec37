#include "controller/translate/config_map/hsts_options.h"

#include <cstdint>
#include <limits>
#include <string>

#include "common/strings.h"

namespace headgate::translate {

void ReadHstsOptions(OptionReader& reader, GlobalSettings& global) {
  constexpr int64_t kYear = 365 * 24 * 3600;
  const bool on = reader.Bool("hsts").value_or(true);
  const int64_t max_age =
      reader.Int("hsts-max-age", 0, std::numeric_limits<int32_t>::max()).value_or(kYear);
  const bool subdomains = reader.Bool("hsts-include-subdomains").value_or(true);
  const bool preload = reader.Bool("hsts-preload").value_or(false);
  if (!on) return;
  global.settings.set_strict_transport_security(StrCat(
      "max-age=", max_age, subdomains ? "; includeSubDomains" : "", preload ? "; preload" : ""));
}

}  // namespace headgate::translate
