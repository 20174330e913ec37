#include "dataplane/proxy/nonce_table.h"

#include <algorithm>
#include <mutex>

#include "dataplane/policy/limit_store.h"

namespace headgate::proxy {
namespace {

struct Uses {
  int64_t made = 0;      // the nonce
  uint32_t highest = 0;  // count
  uint64_t seen = 0;     // bit i: the count i below it

  bool Take(uint32_t count) {
    if (count > highest) {
      const uint32_t ahead = count - highest;
      seen = ahead < NonceTable::kWindow ? seen << ahead | 1 : 1;
      highest = count;
      return true;
    }
    const uint32_t behind = highest - count;
    const uint64_t bit = behind < NonceTable::kWindow ? uint64_t{1} << behind : 0;
    if (bit == 0 || (seen & bit) != 0) return false;
    seen |= bit;
    return true;
  }
};

}  // namespace

struct alignas(64) NonceTable::Shard {
  std::mutex mutex;
  policy::LimitStore<Uses> nonces;
  int64_t forgotten = 0;  // when the youngest of those that are not held any more was made
};

NonceTable::NonceTable(int64_t now, size_t capacity) : shards_(std::make_unique<Shard[]>(kShards)) {
  for (size_t i = 0; i < kShards; ++i) {
    shards_[i].nonces = policy::LimitStore<Uses>(std::max<size_t>(1, capacity / kShards));
    shards_[i].forgotten = now - 1;
  }
}

NonceTable::~NonceTable() = default;

bool NonceTable::Use(const policy::NonceUse& use, int64_t now) {
  // Random by themselves: nobody but us can make one.
  policy::LimitKey key;
  key.words[0] = use.id;
  key.words[1] = static_cast<uint64_t>(use.made);
  Shard& shard = shards_[use.id % kShards];
  const std::lock_guard lock(shard.mutex);
  if (Uses* uses = shard.nonces.Find(key)) return uses->Take(use.count);
  if (use.made <= shard.forgotten) return false;
  const auto forget = [&shard] {
    shard.forgotten = std::max(shard.forgotten, shard.nonces.oldest()->made);
    shard.nonces.RemoveOldest();
  };
  // Those that are too old for anything go two at a time, so that the table shrinks while it is
  // used.
  for (int i = 0; i < 2 && shard.nonces.size() > 0 &&
                  shard.nonces.oldest()->made + policy::kNonceSeconds < now;
       ++i) {
    forget();
  }
  if (shard.nonces.full()) forget();
  Uses& added = *shard.nonces.Add(key);
  added = {.made = use.made, .highest = use.count, .seen = 1};
  return true;
}

size_t NonceTable::size() const {
  size_t sum = 0;
  for (size_t i = 0; i < kShards; ++i) {
    const std::lock_guard lock(shards_[i].mutex);
    sum += shards_[i].nonces.size();
  }
  return sum;
}

}  // namespace headgate::proxy
