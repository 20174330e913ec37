#include "controller/translate/addresses.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/strings/match.h"
#include "common/strings.h"

namespace headgate::translate {
namespace {

// The IPv4 address inside ::ffff:0:0/96, or the address itself.
kube::IpAddress Unmapped(const kube::IpAddress& address) {
  constexpr std::array<uint8_t, 12> kPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (address.size != 16 || !std::equal(kPrefix.begin(), kPrefix.end(), address.bytes.begin())) {
    return address;
  }
  kube::IpAddress v4;
  v4.size = 4;
  std::copy(address.bytes.begin() + 12, address.bytes.end(), v4.bytes.begin());
  return v4;
}

}  // namespace

std::optional<kube::IpAddress> ParseIpAddress(std::string_view text) {
  const std::string terminated(text);
  kube::IpAddress address;
  if (inet_pton(AF_INET, terminated.c_str(), address.bytes.data()) == 1) {
    address.size = 4;
    return address;
  }
  if (inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) == 1) {
    address.size = 16;
    return address;
  }
  return std::nullopt;
}

bool IsCidr(std::string_view text) {
  const size_t slash = text.find('/');
  const auto address = ParseIpAddress(text.substr(0, slash));
  if (!address) return false;
  if (slash == std::string_view::npos) return true;
  const std::string_view length = text.substr(slash + 1);
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), bits);
  if (error != std::errc() || end != length.data() + length.size()) return false;
  const unsigned least = Unmapped(*address).size == address->size ? 0 : 96;
  return bits >= least && bits <= address->size * 8u;
}

bool IsLoopback(const kube::IpAddress& any_address) {
  const kube::IpAddress address = Unmapped(any_address);
  if (address.size == 4) return address.bytes[0] == 127 || address.bytes[0] == 0;
  const bool zeros = std::all_of(address.bytes.begin(), address.bytes.end() - 1,
                                 [](uint8_t byte) { return byte == 0; });
  return zeros && address.bytes[15] <= 1;
}

bool IsLinkLocal(const kube::IpAddress& any_address) {
  const kube::IpAddress address = Unmapped(any_address);
  if (address.size == 4) return address.bytes[0] == 169 && address.bytes[1] == 254;
  return address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0) == 0x80;
}

bool IsDnsName(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() > 253) return false;
  size_t label = 0;
  for (const char c : name) {
    if (c == '.') {
      if (label == 0) return false;
      label = 0;
      continue;
    }
    const bool allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (!allowed || ++label > 63) return false;
  }
  return label > 0;
}

bool IsLocalhostName(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return absl::EqualsIgnoreCase(ToAbsl(name), "localhost") ||
         absl::EndsWithIgnoreCase(ToAbsl(name), ".localhost");
}

}  // namespace headgate::translate
