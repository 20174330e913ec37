// allow-snippet-annotations, annotations-risk-level, annotation-value-word-blocklist,
// headgate-ignore-waf: which annotations Ingresses may have.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/config_map/reader.h"
#include "controller/translate/config_map/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 4> kAnnotationOptions = {
    "allow-snippet-annotations", "annotations-risk-level", "annotation-value-word-blocklist",
    "headgate-ignore-waf"};

void ReadAnnotationOptions(OptionReader& reader, GlobalSettings& global);

}  // namespace headgate::translate
