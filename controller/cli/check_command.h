// headgate check: says of Ingresses, before they are served here, what will be as it is and what will not.
#pragma once

#include <span>

namespace headgate::cli {

// `arguments` without the name of the program and "check". Prints the report; returns the exit code: 0, 1 when the
// report is worse than --fail-on allows, 2 for a usage error or input that cannot be had.
int RunCheck(std::span<const char* const> arguments);

}  // namespace headgate::cli
