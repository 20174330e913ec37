// proxy-request-buffering, client-body-buffer-size, proxy-buffering, proxy-buffer-size,
// proxy-buffers-number, proxy-max-temp-file-size: the defaults of the annotations.
// proxy-busy-buffers-size has no effect: whatever is held may be sent.
#pragma once

#include "controller/translate/annotations/buffering.h"
#include "controller/translate/config_map/reader.h"
#include "controller/translate/config_map/settings.h"

namespace headgate::translate {

// Named like the annotations.
inline constexpr const auto& kBufferingOptions = kBufferingNames;

void ReadBufferingOptions(OptionReader& reader, GlobalSettings& global);

}  // namespace headgate::translate
