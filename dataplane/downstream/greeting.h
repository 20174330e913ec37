#pragma once

#include <string>
#include <string_view>

#include "dataplane/downstream/connections.h"
#include "dataplane/downstream/early_connection.h"

namespace headgate::downstream {

// The beginning of a client connection, until it is known what is spoken on it: by the protocol
// agreed on in the TLS handshake, on a plain connection by the first bytes. Then it gives what it
// holds to Connections::Promote and is no more.
class Greeting final : public EarlyConnection {
 public:
  using EarlyConnection::EarlyConnection;

  // Call once, when the owner holds this. `edges` have come on a socket that is watched already.
  void Start(net::IoEvents edges);

  // A handshake goes on, and the client gets an answer to its first request; one that has said
  // nothing is closed.
  void Drain() override;

 private:
  void OnIo(net::IoEvents events) override;
  void OnTimer(net::Timer& timer) override;

  void ContinueHandshake();
  void ReadPreface();
  void Promote(Protocol protocol, std::string_view early, bool readable);

  std::string held_;  // a beginning of HTTP/2's preface
};

}  // namespace headgate::downstream
