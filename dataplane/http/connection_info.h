#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "dataplane/base/address.h"
#include "dataplane/base/client_identity.h"

namespace headgate::http {

// What its TLS handshake said of a connection.
struct TlsInfo {
  std::string server_name;   // SNI in lower case; empty without
  std::string_view version;  // this and the next as OpenSSL names them, constants of the program
  std::string_view cipher;
  // What the client showed; null unless certificates were asked for.
  std::shared_ptr<const base::ClientIdentity> client;
};

// What is known of a client connection when its first request arrives; fixed from then on.
struct ConnectionInfo {
  base::Address
      peer;  // the socket's other end, or what a trusted load balancer says it is (PROXY protocol)
  base::Address local;             // where it was accepted; port 0 when unknown
  std::string peer_ip;             // peer.IpText(), made once for logs and forwarding fields
  bool via_load_balancer = false;  // peer and local are the load balancer's words
  bool tls = false;
  // Null without TLS, and before its end. A block of its own keeps plain connections small.
  std::unique_ptr<const TlsInfo> handshake;

  const base::ClientIdentity* client() const {
    return handshake == nullptr ? nullptr : handshake->client.get();
  }
};

}  // namespace headgate::http
