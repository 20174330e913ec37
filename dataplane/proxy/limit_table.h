#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "dataplane/policy/rate_limit.h"

namespace headgate::proxy {

class LimitTable;

// A request that counts among those under way, until this is destroyed. A move-only value of one
// thread.
class ConnectionPermit {
 public:
  ConnectionPermit() = default;
  ConnectionPermit(ConnectionPermit&& other) noexcept
      : table_(std::exchange(other.table_, nullptr)), key_(other.key_) {}
  ConnectionPermit& operator=(ConnectionPermit&& other) noexcept {
    std::swap(table_, other.table_);
    std::swap(key_, other.key_);
    return *this;
  }
  ~ConnectionPermit();

  bool valid() const { return table_ != nullptr; }

 private:
  friend class LimitTable;
  ConnectionPermit(LimitTable& table, const policy::LimitKey& key) : table_(&table), key_(key) {}

  LimitTable* table_ = nullptr;
  policy::LimitKey key_;
};

// The counters of all clients in all zones. It never holds more than its capacity of either kind:
// then the client that has been quiet longest is forgotten, and no further one may have requests
// under way.
//
// Any thread; a call holds the lock of one shard for some hundred nanoseconds. Outlives every
// permit.
class LimitTable {
 public:
  static constexpr size_t kDefaultCapacity = size_t{1} << 18;

  // `seed` keeps clients from choosing where they are stored.
  explicit LimitTable(uint64_t seed, size_t capacity = kDefaultCapacity);
  ~LimitTable();
  LimitTable(const LimitTable&) = delete;
  LimitTable& operator=(const LimitTable&) = delete;

  policy::LimitKey KeyOf(std::string_view zone, std::string_view client) const;

  // Whether one more request keeps to both rates; if so it is counted for both. `now`: milliseconds
  // on any clock that all threads share and that does not run backwards by much.
  bool AdmitRequest(const policy::RateLimits& limits, const policy::LimitKey& key, int64_t now);
  // Not valid: so many are under way already.
  ConnectionPermit AdmitConnection(const policy::RateLimits& limits, const policy::LimitKey& key);

  // How many data planes there are: each lets through its part of limits that they share. 0 counts
  // as 1.
  void SetDataPlanes(uint32_t count) { data_planes_.store(count, std::memory_order_relaxed); }
  uint32_t data_planes() const { return data_planes_.load(std::memory_order_relaxed); }

  // Clients that have counters now.
  size_t request_clients() const;
  size_t connection_clients() const;

 private:
  friend class ConnectionPermit;
  struct Shard;
  static constexpr size_t kShards = 64;

  Shard& ShardOf(const policy::LimitKey& key) const;
  void ReleaseConnection(const policy::LimitKey& key);

  bool Shares(const policy::RateLimits& limits) const { return limits.shared && data_planes() > 1; }

  std::atomic<uint32_t> data_planes_{1};
  const uint64_t seed_;
  const std::unique_ptr<Shard[]> shards_;
};

}  // namespace headgate::proxy
