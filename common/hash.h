// SHA-256 and what we derive from it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace headgate {

std::array<uint8_t, 32> Sha256(std::string_view bytes);
std::string Sha256Hex(std::string_view bytes);

// The first 8 bytes, little endian, of the SHA-256 (`Resource.hash` in
// proto/headgate/v1/snapshot.proto, where `bytes` is the deterministic serialisation). 0 means
// "none" there, so a hash of 0 is given as 1.
uint64_t ContentHash(std::string_view bytes);

}  // namespace headgate
