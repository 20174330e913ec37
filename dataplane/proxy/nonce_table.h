#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "dataplane/policy/digest_auth.h"

namespace headgate::proxy {

// Which nonces of the Digest scheme have been used, and with which counts: what was overheard is no
// use a second time (RFC 7616 section 5.5). Of each nonce the highest count is kept and which of
// the kWindow below it were there, since requests of several connections overtake each other.
//
// It never holds more than its capacity: then the nonce that has been quiet longest is forgotten,
// and what is not known and as old as that counts as used. The same goes for all that were made
// before the table.
//
// Any thread; a call holds the lock of one shard for some hundred nanoseconds.
class NonceTable {
 public:
  static constexpr size_t kDefaultCapacity = size_t{1} << 16;
  static constexpr uint32_t kWindow = 64;

  // `now`, here and below: seconds since 1970.
  explicit NonceTable(int64_t now, size_t capacity = kDefaultCapacity);
  ~NonceTable();
  NonceTable(const NonceTable&) = delete;
  NonceTable& operator=(const NonceTable&) = delete;

  // True for the first use of this count, which is noted. REQUIRES: the nonce is one of ours
  // (DigestVerdict::kMatches).
  bool Use(const policy::NonceUse& use, int64_t now);

  // Nonces that are held now.
  size_t size() const;

 private:
  struct Shard;
  static constexpr size_t kShards = 16;

  const std::unique_ptr<Shard[]> shards_;
};

}  // namespace headgate::proxy
