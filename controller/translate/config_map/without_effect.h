// Options of ingress-nginx that have nothing to act on here, and what there is instead. Who sets
// one is told so; docs/options.md lists them all. What only tunes NGINX is not among them
// (registry.cc): nobody misses it.
#pragma once

#include <span>
#include <string_view>

#include "controller/translate/config_map/reader.h"

namespace headgate::translate {

struct IneffectiveOption {
  std::string_view name;
  std::string_view why;  // one clause, without a full stop
};

// Sorted by name.
std::span<const IneffectiveOption> IneffectiveOptions();

// Says why for each that is set; a switch that is off asks for nothing.
void ReportIneffective(OptionReader& reader);

}  // namespace headgate::translate
