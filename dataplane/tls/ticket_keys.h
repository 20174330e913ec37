#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/secret_bytes.h"

namespace headgate::tls {

// Keys that seal session tickets (RFC 5077 section 4): one seals, all of them open. The same for
// every worker of a process, and for all data planes of a controller, so that a client may resume
// with any. Immutable.
//
// A key is 80 bytes: a name of 16, then 32 for HMAC-SHA-256 and 32 for AES-256-CBC; or 48: a name,
// then 16 for AES-128-CBC and 16 for HMAC. Both are NGINX's forms.
class TicketKeys {
 public:
  struct Key {
    SecretBytes name;
    SecretBytes mac;
    SecretBytes cipher;
  };

  // A new random key from the system's generator.
  static std::shared_ptr<const TicketKeys> Random();
  // `sealing` seals; `others` only open. Refused when a key has neither of the lengths.
  static absl::StatusOr<std::shared_ptr<const TicketKeys>> Make(
      std::string_view sealing, const std::vector<std::string_view>& others);

  const Key& sealing() const { return keys_.front(); }
  // The key of a ticket, or null.
  const Key* Find(std::string_view name) const;

 private:
  std::vector<Key> keys_;
};

}  // namespace headgate::tls
