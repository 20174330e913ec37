#include "dataplane/base/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace headgate::base {
namespace {

constexpr uint8_t kMappedPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

template <typename Int>
std::optional<Int> ParseInt(std::string_view text, unsigned max) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > max) return std::nullopt;
  return static_cast<Int>(value);
}

}  // namespace

Address Address::FromV4(const uint8_t (&bytes)[4], uint16_t port) {
  Address result;
  std::copy(bytes, bytes + 4, result.bytes_.begin());
  result.port_ = port;
  return result;
}

std::optional<Address> Address::FromBytes(std::string_view bytes, uint16_t port) {
  Address result;
  result.port_ = port;
  if (bytes.size() == 16 && std::memcmp(bytes.data(), kMappedPrefix, 12) == 0)
    bytes.remove_prefix(12);
  if (bytes.size() != 4 && bytes.size() != 16) return std::nullopt;
  result.v4_ = bytes.size() == 4;
  std::memcpy(result.bytes_.data(), bytes.data(), bytes.size());
  return result;
}

std::optional<Address> Address::FromSockaddr(const sockaddr* address, socklen_t length) {
  if (address->sa_family == AF_INET && length >= sizeof(sockaddr_in)) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    return FromBytes({reinterpret_cast<const char*>(&v4->sin_addr), 4}, ntohs(v4->sin_port));
  }
  if (address->sa_family == AF_INET6 && length >= sizeof(sockaddr_in6)) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
    return FromBytes({reinterpret_cast<const char*>(&v6->sin6_addr), 16}, ntohs(v6->sin6_port));
  }
  return std::nullopt;
}

std::optional<Address> Address::ParseIp(std::string_view text, uint16_t port) {
  char buffer[INET6_ADDRSTRLEN + 1];
  if (text.empty() || text.size() >= sizeof(buffer)) return std::nullopt;
  std::memcpy(buffer, text.data(), text.size());
  buffer[text.size()] = '\0';
  char bytes[16];
  if (inet_pton(AF_INET, buffer, bytes) == 1) return FromBytes({bytes, 4}, port);
  if (inet_pton(AF_INET6, buffer, bytes) == 1) return FromBytes({bytes, 16}, port);
  return std::nullopt;
}

std::optional<Address> Address::ParseHostPort(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = ParseInt<uint16_t>(text.substr(colon + 1), 65535);
  if (!port) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  if (host.empty() || host == "*") host = "::";
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host != "::" && host.find(':') != std::string_view::npos) {
    return std::nullopt;  // an IPv6 address needs brackets
  }
  return ParseIp(host, *port);
}

bool Address::is_loopback() const {
  if (v4_) return bytes_[0] == 127;
  return std::all_of(bytes_.begin(), bytes_.begin() + 15, [](uint8_t b) { return b == 0; }) &&
         bytes_[15] == 1;
}

std::string Address::IpText() const {
  char buffer[INET6_ADDRSTRLEN];
  inet_ntop(v4_ ? AF_INET : AF_INET6, bytes_.data(), buffer, sizeof(buffer));
  return buffer;
}

std::string Address::Text() const {
  std::string ip = IpText();
  if (!v4_) ip = "[" + ip + "]";
  return ip + ":" + std::to_string(port_);
}

socklen_t Address::ToSockaddr(sockaddr_storage& storage) const {
  std::memset(&storage, 0, sizeof(storage));
  if (v4_) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port_);
    std::memcpy(&v4->sin_addr, bytes_.data(), 4);
    return sizeof(sockaddr_in);
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(port_);
  std::memcpy(&v6->sin6_addr, bytes_.data(), 16);
  return sizeof(sockaddr_in6);
}

std::optional<Cidr> Cidr::Parse(std::string_view text) {
  Cidr result;
  const size_t slash = text.find('/');
  const auto base = Address::ParseIp(text.substr(0, slash), 0);
  if (!base) return std::nullopt;
  result.base_ = *base;
  const uint8_t bits = base->is_v4() ? 32 : 128;
  result.prefix_length_ = bits;
  if (slash != std::string_view::npos) {
    // An IPv4-mapped address has the IPv4 address in its last 32 bits.
    const bool mapped = base->is_v4() && text.find(':') != std::string_view::npos;
    const uint8_t before = mapped ? 96 : 0;
    const auto length =
        ParseInt<uint8_t>(text.substr(slash + 1), static_cast<uint8_t>(before + bits));
    if (!length || *length < before) return std::nullopt;
    result.prefix_length_ = static_cast<uint8_t>(*length - before);
  }
  return result;
}

bool Cidr::Contains(const Address& address) const {
  if (address.is_v4() != base_.is_v4()) return false;
  const std::string_view a = address.bytes();
  const std::string_view b = base_.bytes();
  const size_t whole = prefix_length_ / 8;
  if (std::memcmp(a.data(), b.data(), whole) != 0) return false;
  const unsigned rest = prefix_length_ % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<uint8_t>(0xff << (8 - rest));
  return ((static_cast<uint8_t>(a[whole]) ^ static_cast<uint8_t>(b[whole])) & mask) == 0;
}

}  // namespace headgate::base
