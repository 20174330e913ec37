#pragma once

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "dataplane/config/compiled_config.h"
#include "dataplane/route/route_table.h"

// A second, slow and obvious, reading of proto/headgate/v1/snapshot.proto's RouteMatch, to hold
// route::RouteTable against.
namespace headgate::testing {

struct ReferenceRoute {
  route::PathKind kind = route::PathKind::kPrefix;
  std::string path;  // for kRegex: literal text, which has to start the request's path in any case
  std::string method;  // empty: any
  std::string header;  // name of a field that must be there; empty: none
};

inline bool ReferencePathFits(const ReferenceRoute& route, const std::string& path) {
  switch (route.kind) {
    case route::PathKind::kExact: return path == route.path;
    case route::PathKind::kRegex: {
      const auto same = [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) ==
               std::tolower(static_cast<unsigned char>(b));
      };
      return path.size() >= route.path.size() &&
             std::equal(route.path.begin(), route.path.end(), path.begin(), same);
    }
    case route::PathKind::kPrefix: break;
  }
  // By segment: each segment of the prefix equals that of the path. A slash at the end asks for one
  // there.
  if (path == route.path) return true;
  std::string with_slash = route.path;
  if (with_slash.back() != '/') with_slash += '/';
  return path.compare(0, with_slash.size(), with_slash) == 0;
}

// Index of the route that takes the request, -1 if none does.
inline int ReferenceMatch(const std::vector<ReferenceRoute>& routes, const std::string& path,
                          std::string_view method, std::string_view header) {
  int best = -1;
  const auto merit = [&](int i) {
    const ReferenceRoute& r = routes[static_cast<size_t>(i)];
    const bool exact = r.kind == route::PathKind::kExact;
    const bool regex = r.kind == route::PathKind::kRegex;
    // The greater wins; the order given decides between equals, and alone between regexes.
    return std::tuple(exact   ? 2
                      : regex ? 1
                              : 0,
                      regex ? 0 : r.path.size(), regex ? 0 : !r.method.empty(),
                      regex ? 0 : !r.header.empty());
  };
  for (int i = 0; i < static_cast<int>(routes.size()); ++i) {
    const ReferenceRoute& r = routes[static_cast<size_t>(i)];
    const bool holds = ReferencePathFits(r, path) && (r.method.empty() || r.method == method) &&
                       (r.header.empty() || http::EqualsIgnoreCase(r.header, header));
    if (holds && (best < 0 || merit(i) > merit(best))) best = i;
  }
  return best;
}

// The same routes as a RouteTable. `targets` gets one element for each and must outlive the table.
inline route::RouteTable BuildTable(const std::vector<ReferenceRoute>& routes,
                                    std::vector<config::CompiledRoute>& targets) {
  targets.resize(routes.size());
  std::vector<route::RouteSpec> specs(routes.size());
  for (size_t i = 0; i < routes.size(); ++i) {
    specs[i].kind = routes[i].kind;
    specs[i].target = &targets[i];
    if (routes[i].kind == route::PathKind::kRegex) {
      std::string error;
      specs[i].regex = route::CompilePathRegex("\\Q" + routes[i].path + "\\E", &error);
    } else {
      specs[i].path = routes[i].path;
    }
    if (!routes[i].method.empty()) specs[i].conditions.methods.push_back(routes[i].method);
    if (!routes[i].header.empty()) {
      specs[i].conditions.headers.push_back({.name = routes[i].header,
                                             .kind = route::ValueCondition::Kind::kPresent,
                                             .text = {},
                                             .regex = nullptr});
    }
  }
  return route::RouteTable(std::move(specs));
}

inline int TableMatch(const route::RouteTable& table,
                      const std::vector<config::CompiledRoute>& targets, std::string_view path,
                      std::string_view method, std::string_view header) {
  http::RequestHead request;
  request.method_text = method;
  if (!header.empty()) request.fields.Add(http::FieldId::kOther, header, "1");
  const config::CompiledRoute* route = table.Match(request, path);
  return route == nullptr ? -1 : static_cast<int>(route - targets.data());
}

}  // namespace headgate::testing
