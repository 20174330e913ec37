// rewrite-target, use-regex, app-root and x-forwarded-prefix.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 4> kRewriteNames = {"rewrite-target", "use-regex",
                                                                  "app-root", "x-forwarded-prefix"};

// Of the variables only $1 to $9 and, in rewrite-target, $scheme are known.
void ReadRewrite(AnnotationReader& reader, IngressSettings& settings);

}  // namespace headgate::translate
