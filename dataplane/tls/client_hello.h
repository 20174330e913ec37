#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace headgate::tls {

// The name a client asks for, read from the first bytes of its connection without answering them:
// for those whose TLS ends elsewhere.
struct ClientHelloResult {
  enum class Status : uint8_t {
    kComplete,
    kIncomplete,
    kMalformed,  // no ClientHello, or one that is too large or could be read in two ways
  };
  Status status = Status::kIncomplete;
  // In lower case; empty if none is sent. Meaningful when complete.
  std::string server_name;
};

// Handshake messages that are longer are malformed. Clients send a few hundred bytes, or about 2
// KiB with keys that withstand quantum computers.
inline constexpr size_t kMaxClientHello = 16 * 1024;
// The most bytes that can be incomplete: the above, in records of any size (RFC 8446 section 5.1).
inline constexpr size_t kMaxClientHelloBytes = 2 * kMaxClientHello;

// `bytes`: what has come so far. Reads the record layer and the whole of the message (RFC 8446
// section 4.1.2, RFC 6066 section 3), whatever stands before and after the name. Pure.
ClientHelloResult ParseClientHello(std::string_view bytes);

}  // namespace headgate::tls
