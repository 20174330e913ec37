// headgate.dev/static-root: paths of the Ingress are answered from a directory that the operator
// has mounted into the data plane, whatever their backends say. The others say how files are
// answered, those of a ConfigMap as well: what stands in for a missing one, and for how long an
// answer is fresh.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 4> kStaticFilesNames = {
    "headgate.dev/static-root", "headgate.dev/static-fallback", "headgate.dev/cache-control",
    "headgate.dev/expires"};

// A bad static-root refuses the Ingress: its backends are not what it wants served. Other bad
// values are ignored.
void ReadStaticFiles(AnnotationReader& reader, IngressSettings& settings);

}  // namespace headgate::translate
