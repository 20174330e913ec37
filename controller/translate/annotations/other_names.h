// server-alias and from-to-www-redirect: more names under which the hosts of an Ingress are known.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 2> kOtherNameNames = {"server-alias",
                                                                    "from-to-www-redirect"};
inline constexpr std::string_view kServerAlias = kOtherNameNames[0];

// The host names in a value of server-alias, in lower case, each once; what is none is passed over.
std::vector<std::string> AliasesIn(std::string_view value);

// A bad value refuses the Ingress. Aliases that are regular expressions are left out.
void ReadOtherNames(AnnotationReader& reader, IngressSettings& settings);

}  // namespace headgate::translate
