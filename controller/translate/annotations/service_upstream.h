// service-upstream: the Service's own address in place of its endpoints'.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/upstream_settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 1> kServiceUpstreamNames = {"service-upstream"};

// A bad value is ignored.
void ReadServiceUpstream(AnnotationReader& reader, UpstreamSettings& settings);

}  // namespace headgate::translate
