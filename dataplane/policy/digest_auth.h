// The Digest scheme of RFC 7616, with MD5 and the protection "auth", as NGINX's module for it has
// it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "dataplane/policy/basic_auth.h"

namespace headgate::policy {

enum class DigestVerdict : uint8_t {
  kMatches,
  kDoesNot,
  kStale,  // it would match, but the nonce is too old
};

// For how long a nonce is good.
inline constexpr int64_t kNonceSeconds = 300;

// What a response says of the nonce it is made with.
struct NonceUse {
  uint64_t id = 0;   // another for each nonce
  int64_t made = 0;  // seconds since 1970
  uint32_t count =
      0;  // of the requests that the client has made with it, this one included; 1 or more
};

// A nonce tells when it was made, has an id, and is sealed with what the users' file holds: every
// process that has that file takes it. `now`: seconds since 1970. `id`: random.
std::string MakeNonce(const UserTable& users, int64_t now, uint64_t id);

// The value of WWW-Authenticate.
std::string DigestChallenge(const UserTable& users, std::string_view realm, bool stale, int64_t now,
                            uint64_t id);

// Whether `authorization`, the field's value, holds the response of a user of the realm for this
// request. `target` is the request's as received. If it does, `use` is what must not have been
// there before: counting is the caller's part.
DigestVerdict CheckDigest(const UserTable& users, std::string_view realm,
                          std::string_view authorization, std::string_view method,
                          std::string_view target, int64_t now, NonceUse& use);

}  // namespace headgate::policy
