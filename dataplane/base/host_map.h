#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/hash/hash.h"

namespace headgate::base {

// Immutable map from host pattern to an item, for routes and for certificates. T has
// `std::string_view host() const`: a host name ("example.com"), a wildcard ("*.example.com") or "_"
// (every other host); lower case, without port.
//
// A value that shares structure with the map it was edited from: the items lie in a fixed number of
// hash shards, and an Edit copies only the shards that it touches. Changing one host among 10,000
// copies 256 shard pointers and about 40 item pointers. Lookups allocate nothing, take no lock and
// do not depend on the number of hosts.
//
// Thread: reading from any; items and shards are freed by whoever drops the last map that holds
// them.
template <typename T>
class HostMap {
 public:
  using Item = std::shared_ptr<const T>;

 private:
  static constexpr size_t kShards = 256;
  static constexpr std::string_view kCatchAll = "_";

  struct Entry {
    size_t hash;
    Item item;
  };
  // Sorted by hash, then key.
  using Shard = std::vector<Entry>;

 public:
  // The item for a request's host: exact name, else the wildcard for all but the first label (a
  // wildcard stands for exactly one label), else "_", else nullptr. `host` is in lower case,
  // without port. The pointer lives as long as the map.
  const T* Find(std::string_view host) const {
    if (const Item* item = FindExact(host)) return item->get();
    const size_t dot = host.find('.');
    if (dot != std::string_view::npos && dot > 0) {
      if (const Item* item = FindKey(host.substr(dot))) return item->get();
    }
    return catch_all_.get();
  }

  // The item with exactly this pattern, or nullptr.
  const Item* FindPattern(std::string_view pattern) const {
    if (pattern == kCatchAll) return catch_all_ ? &catch_all_ : nullptr;
    if (IsWildcard(pattern)) return FindKey(pattern.substr(1));
    return FindExact(pattern);
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // In no particular order.
  template <typename Visitor>
  void ForEach(Visitor&& visit) const {
    if (catch_all_) visit(*catch_all_);
    for (const auto& shard : shards_) {
      if (!shard) continue;
      for (const Entry& entry : *shard) visit(*entry.item);
    }
  }

  // Collects changes to `base` and makes the changed map. Each shard is copied at most once.
  class Edit {
   public:
    explicit Edit(const HostMap& base) : map_(base) {}

    // Adds the item or replaces the one with the same pattern.
    void Set(Item item) {
      if (item->host() == kCatchAll) {
        map_.size_ += map_.catch_all_ ? 0 : 1;
        map_.catch_all_ = std::move(item);
        return;
      }
      const std::string_view key = Key(item->host());
      const size_t hash = Hash(key);
      Shard& shard = Writable(hash);
      auto at = LowerBound(shard, hash, key);
      if (at != shard.end() && at->hash == hash && Key(at->item->host()) == key) {
        at->item = std::move(item);
      } else {
        shard.insert(at, Entry{hash, std::move(item)});
        ++map_.size_;
      }
    }

    // Removing what is not there is no error.
    void Remove(std::string_view pattern) {
      if (pattern == kCatchAll) {
        map_.size_ -= map_.catch_all_ ? 1 : 0;
        map_.catch_all_ = nullptr;
        return;
      }
      if (!map_.FindPattern(pattern)) return;
      const std::string_view key = Key(pattern);
      const size_t hash = Hash(key);
      Shard& shard = Writable(hash);
      shard.erase(LowerBound(shard, hash, key));
      --map_.size_;
    }

    // The item as it is after the changes so far, or nullptr.
    const Item* FindPattern(std::string_view pattern) const { return map_.FindPattern(pattern); }

    // Ends the edit.
    HostMap Finish() && {
      for (size_t i = 0; i < kShards; ++i) {
        if (!writable_[i]) continue;
        writable_[i]->shrink_to_fit();
        if (writable_[i]->empty()) map_.shards_[i] = nullptr;
      }
      return std::move(map_);
    }

   private:
    Shard& Writable(size_t hash) {
      const size_t index = ShardOf(hash);
      std::shared_ptr<Shard>& shard = writable_[index];
      if (!shard) {
        const auto& old = map_.shards_[index];
        shard = old ? std::make_shared<Shard>(*old) : std::make_shared<Shard>();
        map_.shards_[index] = shard;  // later lookups of this edit see its own changes
      }
      return *shard;
    }

    HostMap map_;
    std::array<std::shared_ptr<Shard>, kShards> writable_;
  };

 private:
  static bool IsWildcard(std::string_view pattern) { return pattern.substr(0, 2) == "*."; }
  // Wildcards are kept under what follows the star. No host name begins with a dot, so they never
  // collide.
  static std::string_view Key(std::string_view pattern) {
    return IsWildcard(pattern) ? pattern.substr(1) : pattern;
  }
  static size_t Hash(std::string_view key) { return absl::Hash<std::string_view>{}(key); }
  static size_t ShardOf(size_t hash) { return (hash >> 7) % kShards; }

  // Hashes are spread evenly over their range, so that an entry is not far from where its hash
  // says, however many there are: a line of the cache or two, where halving would visit one with
  // each step.
  template <typename Entries>
  static auto LowerBound(Entries& entries, size_t hash, std::string_view key) {
    static_assert(sizeof(size_t) == 8);
    const auto before = [&](const Entry& entry) {
      return entry.hash < hash || (entry.hash == hash && Key(entry.item->host()) < key);
    };
    size_t at = ((hash >> 32) * entries.size()) >> 32;
    while (at > 0 && !before(entries[at - 1])) --at;
    while (at < entries.size() && before(entries[at])) ++at;
    return entries.begin() + static_cast<ptrdiff_t>(at);
  }

  // A request for the literal host ".example.com" or "*.example.com" names no configured host.
  const Item* FindExact(std::string_view host) const {
    if (host.empty() || host.front() == '.' || host.front() == '*') return nullptr;
    return FindKey(host);
  }

  const Item* FindKey(std::string_view key) const {
    const size_t hash = Hash(key);
    const auto& shard = shards_[ShardOf(hash)];
    if (!shard) return nullptr;
    const auto at = LowerBound(*shard, hash, key);
    if (at == shard->end() || at->hash != hash || Key(at->item->host()) != key) return nullptr;
    return &at->item;
  }

  std::array<std::shared_ptr<const Shard>, kShards> shards_;
  Item catch_all_;
  size_t size_ = 0;
};

}  // namespace headgate::base
