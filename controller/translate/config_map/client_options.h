// client-header-timeout, client-body-timeout, keep-alive, keep-alive-requests,
// large-client-header-buffers: what clients may take of time and of room.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/config_map/reader.h"
#include "controller/translate/config_map/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 5> kClientOptions = {
    "client-header-timeout", "client-body-timeout", "keep-alive", "keep-alive-requests",
    "large-client-header-buffers"};

void ReadClientOptions(OptionReader& reader, GlobalSettings& global);

}  // namespace headgate::translate
