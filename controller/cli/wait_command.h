// headgate wait: until an Ingress, as it is now, is in effect at every data plane.
#pragma once

#include <span>
#include <string_view>

namespace headgate::cli {

// `name`: of the program and the command, as they were called; `arguments`: without these. Returns
// the exit code: 0; 1 when the time is up, or something of the Ingress is rejected; 2 for a usage
// error or an Ingress that cannot be read.
int RunWait(std::string_view name, std::span<const char* const> arguments);

}  // namespace headgate::cli
