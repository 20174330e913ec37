// headgate routes, backends and certs: what a running data plane serves, by its admin port.
#pragma once

#include <span>
#include <string_view>

namespace headgate::cli {

// `name`: of the program and the command, as they were called; `arguments`: without these. Each
// prints a table and returns the exit code: 0, 1 when there is nothing to show, 2 for a usage error
// or a data plane that does not answer.
int RunRoutes(std::string_view name, std::span<const char* const> arguments);
int RunBackends(std::string_view name, std::span<const char* const> arguments);
int RunCertificates(std::string_view name, std::span<const char* const> arguments);

}  // namespace headgate::cli
