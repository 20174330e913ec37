// Routes and requests against the slow reference matcher. The input is text, one line each:
//   E /path        exact route          P /path       prefix route        R /text   regex route for
//   literal text followed by an optional method and header name:  P /path POST x-a ? /path        a
//   request, with the same optional parts
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/check.h"
#include "tests/support/route_reference.h"

namespace {

using headgate::route::PathKind;
using headgate::testing::ReferenceRoute;

std::string_view TakeUntil(std::string_view& text, char end) {
  const size_t at = text.find(end);
  const std::string_view part = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
  return part;
}

bool IsRegexText(std::string_view text) { return text.find("\\E") == std::string_view::npos; }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  std::vector<ReferenceRoute> routes, requests;
  while (!input.empty() && routes.size() < 64 && requests.size() < 64) {
    std::string_view line = TakeUntil(input, '\n');
    const std::string_view kind = TakeUntil(line, ' ');
    ReferenceRoute route;
    route.path = TakeUntil(line, ' ');
    route.method = TakeUntil(line, ' ');
    route.header = TakeUntil(line, ' ');
    if (kind == "?") {
      requests.push_back(route);
      continue;
    }
    route.kind = kind == "E"   ? PathKind::kExact
                 : kind == "R" ? PathKind::kRegex
                               : PathKind::kPrefix;
    // What the compile step lets through.
    if (route.path.empty() || route.path[0] != '/' || !IsRegexText(route.path)) continue;
    routes.push_back(route);
  }
  std::vector<headgate::config::CompiledRoute> targets;
  const auto table = headgate::testing::BuildTable(routes, targets);
  for (const ReferenceRoute& request : requests) {
    HEADGATE_CHECK(
        headgate::testing::TableMatch(table, targets, request.path, request.method,
                                      request.header) ==
        headgate::testing::ReferenceMatch(routes, request.path, request.method, request.header));
  }
  return 0;
}
