#pragma once

#include <cstdint>
#include <string_view>

#include "dataplane/base/arena.h"
#include "dataplane/config/session_cookie.h"

// Session cookies, in the form of ingress-nginx: NAME=KEY|UPSTREAM-KEY and attributes.
namespace headgate::proxy {

// The key in a cookie's value; empty when it is of another upstream or has another form.
std::string_view SessionKeyIn(std::string_view value, std::string_view upstream_key);

struct SessionCookieInput {
  const config::SessionCookie& cookie;
  std::string_view key;
  std::string_view upstream_key;
  bool over_tls = false;
  std::string_view user_agent;
  int64_t now = 0;  // seconds since the epoch
};

// The value of Set-Cookie.
std::string_view MakeSessionCookie(const SessionCookieInput& input, base::Arena& arena);

// Browsers that take SameSite=None for something else or refuse the cookie: Chrome 40 to 69, iOS
// 12, Safari on macOS 10.14.
bool MisreadsSameSiteNone(std::string_view user_agent);

}  // namespace headgate::proxy
