#include "common/host_port.h"

#include <arpa/inet.h>

#include <algorithm>

#include "absl/strings/numbers.h"
#include "common/strings.h"

namespace headgate {
namespace {

absl::Status Bad(std::string_view text, std::string_view why) {
  return absl::InvalidArgumentError(StrCat("\"", text, "\" is not ADDR:PORT: ", why));
}

bool IsHostCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

}  // namespace

std::string HostPort::ToString() const {
  if (host.find(':') != std::string::npos) return StrCat("[", host, "]:", port);
  return StrCat(host, ":", port);
}

bool HostPort::IsLoopback() const {
  in_addr v4;
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
  in6_addr v6;
  if (inet_pton(AF_INET6, host.c_str(), &v6) == 1) return IN6_IS_ADDR_LOOPBACK(&v6);
  return host == "localhost";
}

absl::StatusOr<HostPort> ParseHostPort(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return Bad(text, "no port");
  std::string_view host = text.substr(0, colon);
  const std::string_view port_text = text.substr(colon + 1);
  int port = -1;
  const bool digits =
      !port_text.empty() &&
      std::all_of(port_text.begin(), port_text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || !absl::SimpleAtoi(ToAbsl(port_text), &port) || port > 65535) {
    return Bad(text, "the port must be 0 to 65535");
  }

  HostPort result;
  result.port = static_cast<uint16_t>(port);
  if (!host.empty() && host.front() == '[') {
    if (host.back() != ']') return Bad(text, "missing ]");
    result.host = std::string(host.substr(1, host.size() - 2));
    in6_addr address;
    if (inet_pton(AF_INET6, result.host.c_str(), &address) != 1) {
      return Bad(text, "not an IPv6 address in the brackets");
    }
    return result;
  }
  if (host.find(':') != std::string_view::npos) return Bad(text, "write an IPv6 address in []");
  if (host == "*") host = {};
  if (!std::all_of(host.begin(), host.end(), IsHostCharacter)) {
    return Bad(text, "the address has a character that no host name has");
  }
  result.host = std::string(host);
  return result;
}

}  // namespace headgate
