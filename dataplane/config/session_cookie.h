#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace headgate::config {

// The cookie that keeps sessions of a route. proto/headgate/v1/upstream.proto, SessionCookie.
struct SessionCookie {
  enum class SameSite : uint8_t { kUnset, kNone, kLax, kStrict };

  std::string name;
  std::optional<int64_t> expires_seconds;
  std::optional<int64_t> max_age_seconds;
  std::string domain;
  std::string path;
  bool secure = false;
  SameSite same_site = SameSite::kUnset;
  bool conditional_same_site_none = false;
  bool change_on_failure = false;
};

}  // namespace headgate::config
