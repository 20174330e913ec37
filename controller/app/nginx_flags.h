// Flags of ingress-nginx's controller that have no effect here, so that an argument list that
// worked there starts this controller too.
#pragma once

#include <string>
#include <vector>

#include "common/flags.h"

namespace headgate::app {

// Adds them, in a group of their own.
void DeclareNginxFlags(FlagSet& flags);
// One line for each that was given: its name and why it has no effect.
std::vector<std::string> NginxFlagWarnings(const FlagSet& flags);

}  // namespace headgate::app
