#pragma once

#include <cstdint>
#include <string_view>

#include "dataplane/base/arena.h"

namespace headgate::http {

// A request path in the form that routes are matched on, and the form that may be sent upstream.
struct NormalPath {
  // Percent-decoded once, "//" merged, dot segments resolved (RFC 3986 section 5.2.4). Begins with
  // '/'; may hold any byte but control bytes and '\'.
  std::string_view match;
  // What an upstream may be sent: the raw path, or, when that held dot segments (literal or
  // encoded), `match` percent-encoded again. Never empty.
  std::string_view forward;
  // forward is not the raw path.
  bool rewritten = false;
};

// Normalises the path of a request target (without query). "*" stays as it is. Returns false, which
// means 400, for what is malformed and for what some reader could understand as another path than
// we match: a bad percent sequence, control bytes, '\', dot segments with parameters ("..;"), dot
// segments that appear when decoding a second time, overlong UTF-8, and dot segments that climb
// above the root. Nothing is copied for plain paths; otherwise the results live in `arena`.
[[nodiscard]] bool NormalizePath(std::string_view raw, base::Arena& arena, NormalPath& normal);

// A decoded path, percent-encoded for a request target. In `arena` unless nothing had to be
// encoded.
std::string_view EncodePath(std::string_view path, base::Arena& arena);

// The host and port of a Host field or an authority.
struct Authority {
  // In lower case, without port and without one trailing dot. IPv6 addresses keep their brackets.
  std::string_view host;
  uint16_t port = 0;  // 0: none given
};

// Parses host [":" port] (RFC 3986 section 3.2 without userinfo). Host names are letters, digits,
// '-', '_' and dots, 255 at most, without empty labels. `host` is a view of `text` or, if it had
// capitals, lives in `arena`.
[[nodiscard]] bool ParseAuthority(std::string_view text, base::Arena& arena, Authority& authority);

}  // namespace headgate::http
