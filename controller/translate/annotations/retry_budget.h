// headgate.dev/retry-budget-percent: how many retries there may be among the requests of an
// upstream.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/upstream_settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 1> kRetryBudgetNames = {
    "headgate.dev/retry-budget-percent"};

// A bad value is ignored.
void ReadRetryBudget(AnnotationReader& reader, UpstreamSettings& settings);

}  // namespace headgate::translate
