// use-http2, http2-max-concurrent-streams: HTTP/2 with clients, over TLS. enable-h2c (ours): also
// on plain connections, with clients that begin so.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/config_map/reader.h"
#include "controller/translate/config_map/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 3> kHttp2Options = {
    "use-http2", "http2-max-concurrent-streams", "enable-h2c"};

void ReadHttp2Options(OptionReader& reader, GlobalSettings& global);

}  // namespace headgate::translate
