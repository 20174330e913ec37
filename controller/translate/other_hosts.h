// Hosts that have no routes of their own.
#pragma once

#include <string_view>

#include "controller/translate/virtual_host.h"

namespace headgate::translate {

// Nobody has rules for the host: it does not exist, and its canaries are told so.
VirtualHostResult WithoutHost(const VirtualHostInput& input);

// Every request is sent to host `to`, of which this is another name.
VirtualHostResult RedirectHost(const VirtualHostInput& input, std::string_view to);

}  // namespace headgate::translate
