// log-format-upstream, log-format-escape-json, log-format-escape-none, log-format-stream: what the
// access log says of a request and of a connection of a TCP service. disable-access-log,
// disable-http-access-log, skip-access-log-urls, enable-access-log-for-default-backend: which
// requests it has. Where it goes is the data plane's to say.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/config_map/reader.h"
#include "controller/translate/config_map/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 8> kLogOptions = {
    "log-format-upstream",    "log-format-escape-json",
    "log-format-escape-none", "log-format-stream",
    "disable-access-log",     "disable-http-access-log",
    "skip-access-log-urls",   "enable-access-log-for-default-backend"};

void ReadLogOptions(OptionReader& reader, GlobalSettings& global);

}  // namespace headgate::translate
