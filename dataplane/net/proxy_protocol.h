#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dataplane/base/address.h"

namespace headgate::net {

// The header by which a load balancer says who its client is (haproxy.org, proxy-protocol.txt),
// versions 1 and 2. Strict: what could be read in two ways is malformed.
struct ProxyHeader {
  struct Addresses {
    base::Address source;
    base::Address destination;
  };
  size_t size = 0;  // bytes that it takes
  // Absent when the load balancer speaks for itself (LOCAL), or of a family that we do not know
  // (UNKNOWN, UNIX).
  std::optional<Addresses> addresses;
};

struct ProxyHeaderResult {
  enum class Status : uint8_t { kComplete, kIncomplete, kMalformed };
  Status status = Status::kIncomplete;
  ProxyHeader header;  // meaningful when complete
};

// Which form of header is written.
enum class ProxyVersion : uint8_t { kNone, kV1, kV2 };

// The header that says who the client is, empty for kNone. `destination`: where the client had
// connected to; of another family than `source` it is left unspecified (all zeroes), except for the
// port. Pure.
std::string WriteProxyHeader(ProxyVersion version, const base::Address& source,
                             const base::Address& destination);

// The header of a connection that we make for ourselves.
std::string_view OwnProxyHeader(ProxyVersion version);

// No header is longer; version 2 could be, with more extensions than anybody sends.
inline constexpr size_t kMaxProxyHeader = 4096;

// `bytes`: what has come so far. Pure.
ProxyHeaderResult ParseProxyHeader(std::string_view bytes);

// Takes a header off a non-blocking socket, and not a byte of what follows; when it is not complete
// nothing is taken. An end or an error of the stream is kMalformed.
ProxyHeaderResult TakeProxyHeader(int fd);

}  // namespace headgate::net
