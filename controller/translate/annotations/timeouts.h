// proxy-connect-timeout, proxy-send-timeout, proxy-read-timeout, headgate.dev/tunnel-idle-timeout:
// whole seconds.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 4> kTimeoutNames = {
    "proxy-connect-timeout", "proxy-send-timeout", "proxy-read-timeout",
    "headgate.dev/tunnel-idle-timeout"};

// A bad value is ignored.
void ReadTimeouts(AnnotationReader& reader, IngressSettings& settings);

}  // namespace headgate::translate
