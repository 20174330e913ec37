// headgate explain: which Ingress answers a request, why it is that one, and where each of its
// settings comes from.
#pragma once

#include <span>
#include <string_view>

namespace headgate::cli {

// `name`: of the program and the command, as they were called; `arguments`: without these. Prints
// the explanation; returns the exit code: 0, 1 when no Ingress has the request, 2 for a usage error
// or input that cannot be had.
int RunExplain(std::string_view name, std::span<const char* const> arguments);

}  // namespace headgate::cli
