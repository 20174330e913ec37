// A report as text. Pure.
#pragma once

#include <string>

#include "controller/cli/report.h"

namespace headgate::cli {

// For a terminal. `colour`: ANSI escapes.
std::string RenderTable(const Report& report, bool colour);
// One object: "ingresses", "others", "unreadable", "notes", "counts"; stable names, for programs.
std::string RenderJson(const Report& report);
// For a pull request.
std::string RenderMarkdown(const Report& report);
// A page that needs nothing beside it.
std::string RenderHtml(const Report& report);

}  // namespace headgate::cli
