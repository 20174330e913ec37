// meta/v1 .resourceVersion: opaque in principle, a growing number in every API server there is.
#pragma once

#include <string_view>

namespace headgate::state {

// True when both are decimal numbers (of any length) and `a` is the smaller. False when either is
// empty or not a number: then nothing can be said, and the newer arrival counts as newer.
bool IsOlderVersion(std::string_view a, std::string_view b);

}  // namespace headgate::state
