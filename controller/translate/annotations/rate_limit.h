// limit-rps, limit-rpm, limit-burst-multiplier, limit-connections, limit-allowlist (or
// limit-whitelist): how much a client may ask for; headgate.dev/rate-limit-scope: whether of each
// data plane or of all of them; limit-rate, limit-rate-after: how fast responses go.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 9> kRateLimitNames = {
    "limit-rps",         "limit-rpm",        "limit-burst-multiplier",
    "limit-connections", "limit-allowlist",  "limit-whitelist",
    "limit-rate",        "limit-rate-after", "headgate.dev/rate-limit-scope"};

// A bad limit or list refuses the Ingress; a bad multiplier takes the default, 5, and a bad rate
// that of the ConfigMap; a bad scope is that of one data plane. Limits of 0 and below are none; a
// multiplier below 0 counts as 0.
void ReadRateLimit(AnnotationReader& reader, IngressSettings& settings);

}  // namespace headgate::translate
