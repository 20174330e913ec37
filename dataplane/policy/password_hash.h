// Password hashes as htpasswd files hold them.
#pragma once

#include <string_view>

namespace headgate::policy {

// What a hash costs to compare with.
enum class HashCost {
  kNone,  // it is none that we know, or one that asks for too much: nothing matches it
  kLow,   // microseconds
  kHigh,  // a millisecond to a second
};

// Kinds: {PLAIN}, {SHA} and {SSHA} (RFC 2307), $apr1$ (Apache's MD5), and of crypt(5) md5crypt
// ($1$), sha256crypt ($5$) and sha512crypt ($6$) with at most 1,000,000 rounds, bcrypt ($2a$, $2b$,
// $2y$) with a cost of at most 14, and traditional DES.
HashCost CostOf(std::string_view hash);

// Whether `hash` was made of `password`. The time does not tell how much of it is right. Never of
// passwords of more than 512 bytes, or with a NUL. Blocking; any thread.
bool MatchesHash(std::string_view password, std::string_view hash);

}  // namespace headgate::policy
