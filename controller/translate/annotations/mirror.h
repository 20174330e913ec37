// mirror-target, mirror-request-body, mirror-host: a copy of every request goes to another server.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 3> kMirrorNames = {
    "mirror-target", "mirror-request-body", "mirror-host"};

// Bad values are ignored.
void ReadMirror(AnnotationReader& reader, IngressSettings& settings);

}  // namespace headgate::translate
