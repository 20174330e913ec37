// ssl-passthrough: TLS connections for the hosts of the Ingress are passed on unopened.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 1> kSslPassthroughNames = {"ssl-passthrough"};

// A bad value refuses the Ingress. Whether it has an effect is for passthrough.h to say.
void ReadSslPassthrough(AnnotationReader& reader, IngressSettings& settings);

}  // namespace headgate::translate
