#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "dataplane/config/secret_index.h"
#include "dataplane/tls/ticket_keys.h"

namespace headgate::config {

// The keys for session tickets in the secret that the settings name. Control thread only.
class TicketKeyReader {
 public:
  // `secrets` must outlive this.
  explicit TicketKeyReader(const SecretIndex& secrets) : secrets_(secrets) {}

  // Empty: there are none.
  void SetName(std::string name);

  // As they are now; the same pointer as before while they are the same. Null when the secret is
  // missing or unusable.
  std::shared_ptr<const tls::TicketKeys> Keys();

 private:
  const SecretIndex& secrets_;
  std::string name_;
  bool dirty_ = false;
  uint64_t secrets_seen_ = 0;
  uint64_t content_ = 0;  // hash of what keys_ was made of
  std::shared_ptr<const tls::TicketKeys> keys_;
};

}  // namespace headgate::config
