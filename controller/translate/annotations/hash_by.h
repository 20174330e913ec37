// upstream-hash-by, upstream-hash-by-subset and upstream-hash-by-subset-size of ingress-nginx;
// headgate.dev/hash-by and headgate.dev/hash-bound: equal values go to the same endpoint.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/upstream_settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 5> kHashByNames = {
    "upstream-hash-by", "upstream-hash-by-subset", "upstream-hash-by-subset-size",
    "headgate.dev/hash-by", "headgate.dev/hash-bound"};

// A bad value of ingress-nginx's annotations refuses the Ingress, of ours it is ignored. Unknown
// variables are empty, and a diagnostic.
void ReadHashBy(AnnotationReader& reader, UpstreamSettings& settings);

}  // namespace headgate::translate
