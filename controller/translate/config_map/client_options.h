// client-header-timeout, client-body-timeout, keep-alive, keep-alive-requests,
// large-client-header-buffers, proxy-body-size: what clients may take of time and of room.
// enable-underscores-in-headers, ignore-invalid-headers: which names their fields may have.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/config_map/reader.h"
#include "controller/translate/config_map/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 8> kClientOptions = {
    "client-header-timeout",         "client-body-timeout",         "keep-alive",
    "keep-alive-requests",           "large-client-header-buffers", "proxy-body-size",
    "enable-underscores-in-headers", "ignore-invalid-headers"};

void ReadClientOptions(OptionReader& reader, GlobalSettings& global);

}  // namespace headgate::translate
