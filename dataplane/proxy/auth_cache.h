#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "dataplane/http/header_map.h"
#include "dataplane/net/event_loop.h"

namespace headgate::proxy {

// What servers that decide on requests have said lately, so that they need not be asked again.
// Bounded in bytes: what was used longest ago goes first. One per worker, used on its thread.
class AuthCache {
 public:
  struct Answer {
    uint16_t status = 0;
    std::vector<std::pair<std::string, std::string>> fields;  // name, value
  };

  // Where and under which key an answer is kept; a digest of parts that do not run into each other.
  static std::string KeyOf(std::string_view host, std::string_view ingress, std::string_view path,
                           std::string_view key);

  // Null: there is none that still holds. Valid until the next call.
  const Answer* Find(const std::string& key, net::TimePoint now);
  void Keep(std::string key, Answer answer, std::chrono::milliseconds duration, net::TimePoint now);

  size_t bytes() const { return bytes_; }

  static constexpr size_t kMaxBytes = 8 * 1024 * 1024;

 private:
  static constexpr std::chrono::minutes kIdle{30};
  struct Entry {
    std::string key;
    Answer answer;
    net::TimePoint expires;
    net::TimePoint used;
    size_t bytes = 0;
  };
  using Entries = std::list<Entry>;  // the oldest first

  void Remove(Entries::iterator entry);

  Entries entries_;
  absl::flat_hash_map<std::string_view, Entries::iterator> by_key_;  // views into entries_
  size_t bytes_ = 0;
};

// How long an answer with these fields may be kept, where its status says `duration`: as NGINX, not
// at all if it sets a cookie or its Cache-Control forbids it, and as long as that says otherwise.
// Nothing: not at all.
std::optional<std::chrono::milliseconds> KeepTime(const http::HeaderMap& fields,
                                                  std::chrono::milliseconds duration);

}  // namespace headgate::proxy
