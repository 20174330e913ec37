// allow-snippet-annotations, annotations-risk-level, annotation-value-word-blocklist,
// strict-validate-path-type: what Ingresses may have. enable-modsecurity, ignore-waf: whether those
// are served that are to be behind a firewall.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/config_map/reader.h"
#include "controller/translate/config_map/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 6> kAnnotationOptions = {
    "allow-snippet-annotations", "annotations-risk-level", "annotation-value-word-blocklist",
    "strict-validate-path-type", "enable-modsecurity",     "ignore-waf"};

void ReadAnnotationOptions(OptionReader& reader, GlobalSettings& global);

}  // namespace headgate::translate
