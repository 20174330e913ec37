// proxy-stream-timeout, proxy-stream-next-upstream, proxy-stream-next-upstream-tries,
// proxy-stream-next-upstream-timeout, disable-stream-access-log: connections of TCP services. Who
// their clients are when load balancers stand before us is read from the options of
// client_address_options.h.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/config_map/reader.h"
#include "controller/translate/config_map/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 5> kStreamOptions = {
    "proxy-stream-timeout", "proxy-stream-next-upstream", "proxy-stream-next-upstream-tries",
    "proxy-stream-next-upstream-timeout", "disable-stream-access-log"};

void ReadStreamOptions(OptionReader& reader, GlobalSettings& global);

}  // namespace headgate::translate
