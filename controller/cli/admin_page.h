// Pages of the admin ports of running programs.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/host_port.h"

namespace headgate::cli {

// GET `path`. Waits for `timeout` at most, in each of its steps. NOT_FOUND: the program answers,
// and has no such page; the error is what it says. Others name the address.
absl::StatusOr<std::string> FetchPage(const HostPort& admin, std::string_view path,
                                      absl::Duration timeout);

}  // namespace headgate::cli
