#pragma once

#include <string>
#include <string_view>

#include "dataplane/base/arena.h"
#include "dataplane/http/header_map.h"

namespace headgate::policy {

// An endpoint's own domain, paths and URLs, and what clients see in their place.
// proto/headgate/v1/headers.proto, ResponseRewrites. Immutable.
struct ResponseRewrites {
  std::string cookie_domain_from;  // without dot in front; empty: none
  std::string cookie_domain_to;
  std::string cookie_path_from;  // empty: none
  std::string cookie_path_to;
  std::string redirect_from;  // empty: none; "default": http:// or https:// and the endpoint
  std::string redirect_to;

  bool empty() const {
    return cookie_domain_from.empty() && cookie_path_from.empty() && redirect_from.empty();
  }
};

// In the fields of an answer of `endpoint` ("10.0.0.1:8080"; empty: of none). New values live in
// `arena`.
void Apply(const ResponseRewrites& rewrites, std::string_view endpoint, base::Arena& arena,
           http::HeaderMap& fields);

// The value of Set-Cookie with its attributes changed; the value itself if nothing fits.
std::string_view RewriteCookie(const ResponseRewrites& rewrites, std::string_view cookie,
                               base::Arena& arena);

}  // namespace headgate::policy
