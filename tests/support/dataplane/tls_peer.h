#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/support/certificates.h"
#include "tests/support/dataplane/peer.h"

namespace headgate::test {

struct TlsPeerOptions {
  std::string server_name = {};                             // empty: none is sent
  const headgate::testing::PemPair* certificate = nullptr;  // shown when asked for
  SSL_SESSION* resume = nullptr;
  std::string before = {};  // sent in the clear first
};

// A client that speaks TLS over a blocking socket; it trusts everybody.
class TlsPeer {
 public:
  TlsPeer(uint16_t port, const TlsPeerOptions& options);
  ~TlsPeer();
  TlsPeer(const TlsPeer&) = delete;
  TlsPeer& operator=(const TlsPeer&) = delete;

  // The handshake was completed.
  bool connected() const { return connected_; }
  bool resumed() const;
  std::string version() const;

  bool Send(std::string_view bytes);
  // A response with a Content-Length, or none.
  Peer::Message ReadResponse();
  Peer::Message Get(std::string_view host, std::string_view path = "/",
                    std::string_view fields = "");
  // What has come, waiting for the first byte; empty at the end of the stream.
  std::string ReadSome();
  // Whether the stream ends here, as announced (close_notify): nothing was cut off.
  bool EndsOrderly();
  // After a response: the session for another connection; the caller frees it.
  SSL_SESSION* TakeSession();

 private:
  Peer socket_;
  SSL_CTX* context_;
  SSL* ssl_;
  bool connected_ = false;
};

}  // namespace headgate::test
