// proxy-body-size: the largest request body, else 413. 0: no limit.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 1> kBodySizeNames = {"proxy-body-size"};

// A bad value is ignored.
void ReadBodySize(AnnotationReader& reader, IngressSettings& settings);

}  // namespace headgate::translate
