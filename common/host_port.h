// "address:port" as operators write it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace headgate {

struct HostPort {
  std::string host;  // empty: every address; an IPv6 address is without its brackets
  uint16_t port = 0;

  // In the form that ParseHostPort reads.
  std::string ToString() const;
  // Whether nobody but this machine is meant: 127.0.0.0/8, ::1 or "localhost".
  bool IsLoopback() const;
  friend bool operator==(const HostPort&, const HostPort&) = default;
};

// "127.0.0.1:80", "[::1]:80", "name:80", ":80", "*:80" (the last two mean every address). Port 0 is
// allowed: the system chooses. A bare IPv6 address is refused because its port would be a guess.
absl::StatusOr<HostPort> ParseHostPort(std::string_view text);

}  // namespace headgate
