#pragma once

#include <cstdint>
#include <string_view>

#include "dataplane/base/failure.h"

namespace headgate::proxy {

// What the client is told when an exchange failed: the one place where a failure becomes a status.
uint16_t StatusFor(const base::Failure& failure);

// The small page for a status, HTML with the status as title. Static text for known statuses of
// 3xx, 4xx and 5xx; empty for others.
std::string_view LocalPage(uint16_t status);
inline constexpr std::string_view kLocalPageType = "text/html";

}  // namespace headgate::proxy
