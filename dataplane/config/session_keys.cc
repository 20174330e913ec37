#include "dataplane/config/session_keys.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "absl/strings/escaping.h"
#include "common/strings.h"

namespace headgate::config {
namespace {

// MD5 because cookies that clients hold are made so; nothing here is a secret.
std::string HexMd5(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_md5(), nullptr) != 1)
    return {};
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest.data()), size));
}

}  // namespace

SessionKeys::SessionKeys(std::string_view upstream, std::span<const std::string> endpoints)
    : upstream_key_(HexMd5(StrCat(HexMd5(upstream), upstream))) {
  keys_.reserve(endpoints.size());
  for (const std::string& endpoint : endpoints) keys_.push_back(HexMd5(StrCat(upstream, endpoint)));
  by_key_.resize(keys_.size());
  std::iota(by_key_.begin(), by_key_.end(), 0);
  std::sort(by_key_.begin(), by_key_.end(),
            [this](uint32_t a, uint32_t b) { return keys_[a] < keys_[b]; });
}

std::optional<uint32_t> SessionKeys::FindEndpoint(std::string_view key) const {
  const auto at = std::lower_bound(
      by_key_.begin(), by_key_.end(), key,
      [this](uint32_t index, std::string_view wanted) { return keys_[index] < wanted; });
  if (at == by_key_.end() || keys_[*at] != key) return std::nullopt;
  return *at;
}

}  // namespace headgate::config
