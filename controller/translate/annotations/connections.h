// proxy-http-version: 1.0 or 1.1, on an Ingress; in the ConfigMap too.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/upstream_settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 1> kConnectionNames = {"proxy-http-version"};
inline constexpr std::string_view kHttpVersions = "1.0 or 1.1";

// Whether it is 1.0; nothing for what is no version.
std::optional<bool> ParseHttpVersion(std::string_view value);

// A bad value is ignored.
void ReadConnections(AnnotationReader& reader, UpstreamSettings& settings);

}  // namespace headgate::translate
