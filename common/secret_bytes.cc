#include "common/secret_bytes.h"

#include <openssl/crypto.h>

#include <cstring>
#include <utility>

namespace headgate {

SecretBytes::SecretBytes(std::string_view bytes) : size_(bytes.size()) {
  if (size_ == 0) return;
  bytes_ = std::make_unique<char[]>(size_);
  std::memcpy(bytes_.get(), bytes.data(), size_);
}

SecretBytes::SecretBytes(SecretBytes&& other) noexcept
    : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}

SecretBytes& SecretBytes::operator=(const SecretBytes& other) {
  if (this != &other) *this = SecretBytes(other);
  return *this;
}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  if (this == &other) return *this;
  Wipe();
  bytes_ = std::move(other.bytes_);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

bool SecretBytes::Equal(const SecretBytes& a, const SecretBytes& b) {
  return a.size_ == b.size_ &&
         (a.size_ == 0 || CRYPTO_memcmp(a.bytes_.get(), b.bytes_.get(), a.size_) == 0);
}

void SecretBytes::Wipe() {
  if (bytes_) WipeMemory(bytes_.get(), size_);
  size_ = 0;
}

void WipeMemory(void* data, size_t size) { OPENSSL_cleanse(data, size); }

}  // namespace headgate
