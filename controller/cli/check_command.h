// headgate check: says of Ingresses, before they are served here, what will be as it is and what
// will not.
#pragma once

#include <span>
#include <string_view>

namespace headgate::cli {

// `name`: of the program and the command, as they were called; `arguments`: without these. Prints
// the report; returns the exit code: 0, 1 when the report is worse than --fail-on allows, 2 for a
// usage error or input that cannot be had.
int RunCheck(std::string_view name, std::span<const char* const> arguments);

}  // namespace headgate::cli
