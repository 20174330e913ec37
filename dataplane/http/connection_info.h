#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "dataplane/base/address.h"
#include "dataplane/base/client_identity.h"

namespace headgate::http {

// What is known of a client connection when its first request arrives; fixed from then on.
struct ConnectionInfo {
  base::Address
      peer;  // the socket's other end, or what a trusted load balancer says it is (PROXY protocol)
  base::Address local;             // where it was accepted; port 0 when unknown
  std::string peer_ip;             // peer.IpText(), made once for logs and forwarding fields
  bool via_load_balancer = false;  // peer and local are the load balancer's words
  bool tls = false;
  std::string server_name;  // SNI in lower case; empty without TLS or SNI
  std::string_view
      tls_version;  // this and the next as OpenSSL names them, constants of the program
  std::string_view tls_cipher;
  // What the client showed in the handshake; null unless certificates were asked for.
  std::shared_ptr<const base::ClientIdentity> client;
};

}  // namespace headgate::http
