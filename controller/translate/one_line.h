// Diagnostics quote what tenants have written, in names of Secrets and hosts too, and end up in
// terminals, Events and logs.
#pragma once

#include <vector>

#include "controller/translate/diagnostic.h"

namespace headgate::translate {

// Control bytes in messages and fields become escapes ("\n", "\033"), so that each is one line, as
// Diagnostic promises.
void MakeOneLine(std::vector<Diagnostic>& diagnostics);

}  // namespace headgate::translate
