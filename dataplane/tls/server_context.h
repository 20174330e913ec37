#pragma once

#include <openssl/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/tls/cert_table.h"
#include "dataplane/tls/certificate_cache.h"
#include "dataplane/tls/io_scratch.h"
#include "dataplane/tls/server_policy.h"

namespace headgate::tls {

// Keys that seal session tickets. The same for every worker of a process, so that a client may resume with any.
// A value; wiped when destroyed.
class TicketKeys {
 public:
  // New random keys from the system's generator.
  static TicketKeys Random();
  ~TicketKeys();
  TicketKeys(const TicketKeys&) = default;
  TicketKeys& operator=(const TicketKeys&) = default;

 private:
  friend class ServerContext;
  TicketKeys() = default;
  std::array<uint8_t, 80> bytes_{};
};

// How one worker speaks TLS with clients: protocol settings and the certificates to choose from. The choice looks at
// the table of the moment, so a new table takes effect with the next handshake and connections notice nothing.
//
// A session can be resumed only for the server name it was made for. Each full handshake hands out one ticket.
//
// Thread: the worker's; nothing in here is shared with other workers. Outlives its transports.
class ServerContext {
 public:
  // `alpn`: protocols offered, most preferred first ("h2", "http/1.1"). A client that offers only others is
  // refused (RFC 7301 section 3.2); one that offers none is served.
  ServerContext(const TicketKeys& ticket_keys, const std::vector<std::string>& alpn);
  ~ServerContext();
  ServerContext(const ServerContext&) = delete;
  ServerContext& operator=(const ServerContext&) = delete;

  // For handshakes that begin from now on. The table is not owned and must live until the next call. Null: every
  // handshake fails.
  void SetCertificates(const CertTable* table) { table_ = table; }
  // For connections accepted from now on. REQUIRES: Validate(policy).ok().
  void SetPolicy(const ServerPolicy& policy);

 private:
  friend class TlsTransport;
  struct Callbacks;

  // Gives the connection the certificates for its server name; false if there is none.
  bool ChooseCertificates(SSL* ssl, std::string_view server_name);

  SSL_CTX* context_;
  const CertTable* table_ = nullptr;
  CertificateCache parsed_;
  std::string alpn_;  // as on the wire: each name after its length
  IoScratch scratch_;
};

}  // namespace headgate::tls
