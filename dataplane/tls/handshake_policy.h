#pragma once

#include <string_view>

#include "dataplane/tls/client_auth.h"

namespace headgate::tls {

// What is special about handshakes for one server name. Pointers live until the configuration
// changes.
struct HandshakePolicy {
  // Null: the host asks for no client certificate.
  const ClientAuth* client_auth = nullptr;
  // OpenSSL cipher list for TLS 1.2; empty: the general one.
  std::string_view ciphers;
  // Of the ciphers of TLS 1.2 the client's favourite is taken, not ours.
  bool client_chooses_cipher = false;
  // Somebody has configured the name, or the wildcard above it.
  bool known_name = true;
};

// Knows them. Implemented by the worker, which knows the hosts.
class HandshakePolicies {
 public:
  // `server_name` in lower case; empty when the client sent none.
  virtual HandshakePolicy FindPolicy(std::string_view server_name) const = 0;

 protected:
  ~HandshakePolicies() = default;
};

}  // namespace headgate::tls
