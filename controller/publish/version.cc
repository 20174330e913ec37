#include "controller/publish/version.h"

#include <openssl/sha.h>

#include <cstring>

#include "absl/strings/str_format.h"

namespace headgate::publish {
namespace {

std::array<uint64_t, 2> Digest(std::string_view name, uint64_t hash) {
  // The hash has a fixed size and comes first, so that no two pairs give the same bytes.
  std::string input(reinterpret_cast<const char*>(&hash), sizeof(hash));
  input.append(name);
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(input.data()), input.size(), digest);
  std::array<uint64_t, 2> words;
  std::memcpy(words.data(), digest, sizeof(words));
  return words;
}

}  // namespace

void ContentVersion::Add(std::string_view name, uint64_t hash) {
  const auto [low, high] = Digest(name, hash);
  sum_[0] += low;
  sum_[1] += high + (sum_[0] < low ? 1 : 0);
}

void ContentVersion::Remove(std::string_view name, uint64_t hash) {
  const auto [low, high] = Digest(name, hash);
  const uint64_t borrow = sum_[0] < low ? 1 : 0;
  sum_[0] -= low;
  sum_[1] -= high + borrow;
}

std::string ContentVersion::ToString() const {
  return absl::StrFormat("%016x%016x", sum_[1], sum_[0]);
}

}  // namespace headgate::publish
