#pragma once

#include <cstdint>
#include <string>

#include "dataplane/base/address.h"

namespace headgate::http {

// What is known of a client connection when its first request arrives; fixed from then on.
struct ConnectionInfo {
  base::Address peer;       // the socket's other end
  base::Address local;      // where it was accepted; port 0 when unknown
  std::string peer_ip;     // peer.IpText(), made once for logs and forwarding fields
  bool tls = false;
  std::string server_name;  // SNI in lower case; empty without TLS or SNI
};

}  // namespace headgate::http
