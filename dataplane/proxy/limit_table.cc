#include "dataplane/proxy/limit_table.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <string>

#include "common/hash.h"
#include "dataplane/policy/limit_store.h"

namespace headgate::proxy {

struct alignas(64) LimitTable::Shard {
  std::mutex mutex;
  policy::LimitStore<policy::RequestCounter> requests;
  policy::LimitStore<uint32_t> connections;
};

ConnectionPermit::~ConnectionPermit() {
  if (table_ != nullptr) table_->ReleaseConnection(key_);
}

LimitTable::LimitTable(uint64_t seed, size_t capacity)
    : seed_(seed), shards_(std::make_unique<Shard[]>(kShards)) {
  const size_t each = std::max<size_t>(1, capacity / kShards);
  for (size_t i = 0; i < kShards; ++i) {
    shards_[i].requests = policy::LimitStore<policy::RequestCounter>(each);
    shards_[i].connections = policy::LimitStore<uint32_t>(each);
  }
}

LimitTable::~LimitTable() = default;

policy::LimitKey LimitTable::KeyOf(std::string_view zone, std::string_view client) const {
  std::string text(reinterpret_cast<const char*>(&seed_), sizeof(seed_));
  text.append(zone).push_back('\0');
  text.append(client);
  const std::array<uint8_t, 32> digest = Sha256(text);
  policy::LimitKey key;
  std::memcpy(key.words.data(), digest.data(), sizeof(key.words));
  return key;
}

LimitTable::Shard& LimitTable::ShardOf(const policy::LimitKey& key) const {
  return shards_[key.words[1] % kShards];
}

bool LimitTable::AdmitRequest(const policy::RateLimits& limits, const policy::LimitKey& key,
                              int64_t now) {
  if (Shares(limits)) return AdmitRequest(policy::PartOf(limits, data_planes()), key, now);
  Shard& shard = ShardOf(key);
  const std::lock_guard lock(shard.mutex);
  if (policy::RequestCounter* counter = shard.requests.Find(key))
    return counter->Admit(limits, now);
  for (int i = 0; i < 2 && shard.requests.size() > 0 && shard.requests.oldest()->rested() <= now;
       ++i) {
    shard.requests.RemoveOldest();
  }
  if (shard.requests.full()) shard.requests.RemoveOldest();
  *shard.requests.Add(key) = policy::RequestCounter(limits, now);
  return true;
}

ConnectionPermit LimitTable::AdmitConnection(const policy::RateLimits& limits,
                                             const policy::LimitKey& key) {
  if (Shares(limits)) return AdmitConnection(policy::PartOf(limits, data_planes()), key);
  Shard& shard = ShardOf(key);
  const std::lock_guard lock(shard.mutex);
  uint32_t* count = shard.connections.Find(key);
  if (count == nullptr) {
    if (shard.connections.full()) return {};
    count = shard.connections.Add(key);
  }
  if (*count >= limits.connections) return {};
  ++*count;
  return {*this, key};
}

void LimitTable::ReleaseConnection(const policy::LimitKey& key) {
  Shard& shard = ShardOf(key);
  const std::lock_guard lock(shard.mutex);
  uint32_t* count = shard.connections.Find(key);
  if (count != nullptr && --*count == 0) shard.connections.Remove(key);
}

size_t LimitTable::request_clients() const {
  size_t sum = 0;
  for (size_t i = 0; i < kShards; ++i) {
    const std::lock_guard lock(shards_[i].mutex);
    sum += shards_[i].requests.size();
  }
  return sum;
}

size_t LimitTable::connection_clients() const {
  size_t sum = 0;
  for (size_t i = 0; i < kShards; ++i) {
    const std::lock_guard lock(shards_[i].mutex);
    sum += shards_[i].connections.size();
  }
  return sum;
}

}  // namespace headgate::proxy
