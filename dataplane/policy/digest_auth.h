// The Digest scheme of RFC 7616, with MD5 and the protection "auth", as NGINX's module for it has it.
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

// A nonce tells when it was made and is sealed with what the users' file holds: every process that has that file
// takes it. `now`: seconds since 1970.
std::string MakeNonce(const UserTable& users, int64_t now);

// The value of WWW-Authenticate.
std::string DigestChallenge(const UserTable& users, std::string_view realm, bool stale, int64_t now);

// Whether `authorization`, the field's value, holds the response of a user of the realm for this request. `target` is the
// request's as received. How often a nonce is used is not counted: within its time what was overheard can be sent again.
DigestVerdict CheckDigest(const UserTable& users, std::string_view realm, std::string_view authorization,
                          std::string_view method, std::string_view target, int64_t now);

}  // namespace headgate::policy
