#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace headgate::base {

// IPv4 or IPv6 address with a port. A small value; IPv4-mapped IPv6 addresses are stored as IPv4.
class Address {
 public:
  Address() = default;
  static Address FromV4(const uint8_t (&bytes)[4], uint16_t port);
  // Network-order bytes, 4 or 16 of them; nullopt for any other length.
  static std::optional<Address> FromBytes(std::string_view bytes, uint16_t port);
  static std::optional<Address> FromSockaddr(const sockaddr* address, socklen_t length);
  // "10.0.0.1", "::1" with a separate port.
  static std::optional<Address> ParseIp(std::string_view text, uint16_t port);
  // "127.0.0.1:80", "[::1]:80", ":80" and "*:80" (any IPv6 and IPv4 address).
  static std::optional<Address> ParseHostPort(std::string_view text);

  bool is_v4() const { return v4_; }
  uint16_t port() const { return port_; }
  void set_port(uint16_t port) { port_ = port; }
  bool is_loopback() const;
  bool is_unspecified() const { return bytes_ == std::array<uint8_t, 16>{}; }
  // 4 or 16 bytes in network order.
  std::string_view bytes() const {
    return {reinterpret_cast<const char*>(bytes_.data()), v4_ ? size_t{4} : size_t{16}};
  }
  // "10.0.0.1" or "2001:db8::1".
  std::string IpText() const;
  // "10.0.0.1:80" or "[2001:db8::1]:80".
  std::string Text() const;
  // Fills `storage`; returns the length to pass to connect or bind.
  socklen_t ToSockaddr(sockaddr_storage& storage) const;

  bool operator==(const Address&) const = default;
  template <typename H>
  friend H AbslHashValue(H h, const Address& a) {
    return H::combine(std::move(h), a.bytes_, a.port_, a.v4_);
  }

 private:
  std::array<uint8_t, 16> bytes_{};
  uint16_t port_ = 0;
  bool v4_ = true;
};

// A network, for trust and access lists.
class Cidr {
 public:
  // "10.0.0.0/8", "2001:db8::/32", or a bare address.
  static std::optional<Cidr> Parse(std::string_view text);
  bool Contains(const Address& address) const;
  bool operator==(const Cidr&) const = default;

 private:
  Address base_;
  uint8_t prefix_length_ = 32;
};

}  // namespace headgate::base
