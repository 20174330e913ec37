#include "common/hash.h"

#include <openssl/evp.h>

#include "common/check.h"

namespace headgate {

std::array<uint8_t, 32> Sha256(std::string_view bytes) {
  std::array<uint8_t, 32> digest{};
  const bool ok =
      EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1;
  HEADGATE_CHECK(ok, "OpenSSL has no SHA-256");
  return digest;
}

std::string Sha256Hex(std::string_view bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  text.reserve(64);
  for (const uint8_t byte : Sha256(bytes)) {
    text.push_back(kHex[byte >> 4]);
    text.push_back(kHex[byte & 0xF]);
  }
  return text;
}

uint64_t ContentHash(std::string_view bytes) {
  const std::array<uint8_t, 32> digest = Sha256(bytes);
  uint64_t hash = 0;
  for (int i = 7; i >= 0; --i) hash = (hash << 8) | digest[i];
  return hash == 0 ? 1 : hash;
}

}  // namespace headgate
