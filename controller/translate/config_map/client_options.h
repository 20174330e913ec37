// client-header-timeout, client-body-timeout, keep-alive, keep-alive-requests,
// large-client-header-buffers: what clients may take of time and of room. disable-access-log,
// disable-http-access-log: whether their requests are logged.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/config_map/reader.h"
#include "controller/translate/config_map/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 7> kClientOptions = {
    "client-header-timeout",  "client-body-timeout",         "keep-alive",
    "keep-alive-requests",    "large-client-header-buffers", "disable-access-log",
    "disable-http-access-log"};

void ReadClientOptions(OptionReader& reader, GlobalSettings& global);

}  // namespace headgate::translate
