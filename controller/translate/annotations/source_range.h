// allowlist-source-range (or whitelist-source-range) and denylist-source-range: which clients come
// in by their address; satisfy: whether one of the conditions of access is enough.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 4> kSourceRangeNames = {
    "allowlist-source-range", "whitelist-source-range", "denylist-source-range", "satisfy"};

// A bad list denies every request; a bad `satisfy` counts as the stricter, "all".
void ReadSourceRange(AnnotationReader& reader, IngressSettings& settings);

// The items of a list; nothing when there are none, or one is neither an address nor a CIDR.
std::optional<CidrList> ParseCidrList(std::string_view text);

}  // namespace headgate::translate
