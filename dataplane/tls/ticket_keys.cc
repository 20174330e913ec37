#include "dataplane/tls/ticket_keys.h"

#include <openssl/rand.h>

#include <array>
#include <utility>

#include "common/check.h"

namespace headgate::tls {
namespace {

constexpr size_t kNameSize = 16;
constexpr size_t kShort = 48;
constexpr size_t kLong = 80;

}  // namespace

std::shared_ptr<const TicketKeys> TicketKeys::Random() {
  std::array<unsigned char, kLong> bytes;
  HEADGATE_CHECK(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
  auto keys = Make({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, {});
  WipeMemory(bytes.data(), bytes.size());
  return *std::move(keys);
}

absl::StatusOr<std::shared_ptr<const TicketKeys>> TicketKeys::Make(
    std::string_view sealing, const std::vector<std::string_view>& others) {
  auto out = std::make_shared<TicketKeys>();
  const auto add = [&](std::string_view key) {
    const std::string_view name = key.substr(0, kNameSize);
    if (key.size() == kLong) {
      out->keys_.push_back(
          {SecretBytes(name), SecretBytes(key.substr(16, 32)), SecretBytes(key.substr(48, 32))});
    } else if (key.size() == kShort) {
      out->keys_.push_back(
          {SecretBytes(name), SecretBytes(key.substr(32, 16)), SecretBytes(key.substr(16, 16))});
    }
    return key.size() == kLong || key.size() == kShort;
  };
  bool good = add(sealing);
  for (const std::string_view key : others) good = good && add(key);
  if (!good) return absl::InvalidArgumentError("a ticket key has 48 or 80 bytes");
  return out;
}

const TicketKeys::Key* TicketKeys::Find(std::string_view name) const {
  for (const Key& key : keys_) {
    if (key.name.Reveal() == name) return &key;
  }
  return nullptr;
}

}  // namespace headgate::tls
