#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/http/header_map.h"

namespace headgate::policy {

// Which origins may use a route from scripts of their pages, and what these are told.
// proto/headgate/v1/headers.proto, Cors. Immutable.
struct CorsPolicy {
  bool any_origin = false;
  std::vector<std::string> origins;  // in lower case; see the contract
  // What allowed origins get beside Access-Control-Allow-Origin: name and value.
  std::vector<std::pair<std::string, std::string>> fields;
};

// Whether `origin`, the value of a request's Origin (empty: it has none), is allowed.
bool Allows(const CorsPolicy& policy, std::string_view origin);

// Puts the fields for an allowed origin in place of those that are there, and Vary: Origin where
// they depend on the origin. Values live as long as the policy and `origin`.
void AddCorsFields(const CorsPolicy& policy, std::string_view origin, http::HeaderMap& fields);

}  // namespace headgate::policy
