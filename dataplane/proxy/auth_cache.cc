#include "dataplane/proxy/auth_cache.h"

#include <charconv>

#include "common/hash.h"

namespace headgate::proxy {
namespace {

using std::chrono::milliseconds;

// The value of a directive of Cache-Control (RFC 9111 section 5.2); empty text for one without.
std::optional<std::string_view> FindDirective(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    std::string_view item = list.substr(0, comma);
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    while (item.starts_with(' ') || item.starts_with('\t')) item.remove_prefix(1);
    while (item.ends_with(' ') || item.ends_with('\t')) item.remove_suffix(1);
    const size_t equals = item.find('=');
    if (!http::EqualsIgnoreCase(item.substr(0, equals), name)) continue;
    return equals == std::string_view::npos ? std::string_view() : item.substr(equals + 1);
  }
  return std::nullopt;
}

}  // namespace

std::string AuthCache::KeyOf(std::string_view host, std::string_view ingress, std::string_view path,
                             std::string_view key) {
  std::string text;
  for (const std::string_view part : {host, ingress, path, key}) {
    text.append(std::to_string(part.size())).append(":").append(part);
  }
  return Sha256Hex(text);
}

const AuthCache::Answer* AuthCache::Find(const std::string& key, net::TimePoint now) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  const Entries::iterator entry = found->second;
  if (entry->expires <= now || entry->used + kIdle <= now) {
    Remove(entry);
    return nullptr;
  }
  entry->used = now;
  entries_.splice(entries_.end(), entries_, entry);
  return &entry->answer;
}

void AuthCache::Keep(std::string key, Answer answer, milliseconds duration, net::TimePoint now) {
  constexpr size_t kOverhead = 256;
  if (const auto found = by_key_.find(key); found != by_key_.end()) Remove(found->second);
  size_t bytes = kOverhead + key.size();
  for (const auto& [name, value] : answer.fields)
    bytes += name.size() + value.size() + sizeof(answer.fields[0]);
  if (bytes > kMaxBytes / 8) return;
  while (bytes_ + bytes > kMaxBytes) Remove(entries_.begin());
  entries_.push_back({std::move(key), std::move(answer), now + duration, now, bytes});
  by_key_.emplace(entries_.back().key, std::prev(entries_.end()));
  bytes_ += bytes;
}

void AuthCache::Remove(Entries::iterator entry) {
  bytes_ -= entry->bytes;
  by_key_.erase(entry->key);
  entries_.erase(entry);
}

std::optional<milliseconds> KeepTime(const http::HeaderMap& fields, milliseconds duration) {
  for (const http::Field& field : fields) {
    if (http::EqualsIgnoreCase(field.name, "Set-Cookie")) return std::nullopt;
    if (http::EqualsIgnoreCase(field.name, "Vary") && field.value == "*") return std::nullopt;
    if (!http::EqualsIgnoreCase(field.name, "Cache-Control")) continue;
    for (const std::string_view name : {"no-cache", "no-store", "private"}) {
      if (FindDirective(field.value, name)) return std::nullopt;
    }
    for (const std::string_view name : {"s-maxage", "max-age"}) {
      const auto value = FindDirective(field.value, name);
      if (!value) continue;
      uint32_t seconds = 0;
      const auto [end, error] =
          std::from_chars(value->data(), value->data() + value->size(), seconds);
      if (error != std::errc() || end != value->data() + value->size() || seconds == 0)
        return std::nullopt;
      duration = std::chrono::seconds(seconds);
      break;
    }
  }
  return duration;
}

}  // namespace headgate::proxy
