#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/openssl_ptr.h"
#include "dataplane/tls/cert_table.h"
#include "dataplane/tls/certificate_cache.h"
#include "dataplane/tls/client_auth.h"
#include "dataplane/tls/handshake_policy.h"
#include "dataplane/tls/io_scratch.h"
#include "dataplane/tls/server_policy.h"
#include "dataplane/tls/ticket_keys.h"

namespace headgate::tls {

// How one worker speaks TLS with clients: protocol settings and the certificates to choose from.
// The choice looks at the table of the moment, so a new table takes effect with the next handshake
// and connections notice nothing.
//
// A session can be resumed only for the server name it was made for, and only while the rules for
// client certificates of that name are the same. Each full handshake hands out one ticket.
//
// Thread: the worker's; nothing in here is shared with other workers. Outlives its transports.
class ServerContext {
 public:
  // Takes no notice of ALPN until SetProtocols. `ticket_keys` is used while SetTicketKeys has given
  // no others; not null.
  explicit ServerContext(std::shared_ptr<const TicketKeys> ticket_keys);
  ~ServerContext();
  ServerContext(const ServerContext&) = delete;
  ServerContext& operator=(const ServerContext&) = delete;

  // For handshakes that begin from now on. The table is not owned and must live until the next
  // call. Null: every handshake fails.
  void SetCertificates(const CertTable* table) { table_ = table; }
  // Protocols offered (ALPN), most preferred first ("h2", "http/1.1"), for handshakes that begin
  // from now on. A client that offers only others is refused (RFC 7301 section 3.2); one that
  // offers none is served.
  void SetProtocols(const std::vector<std::string_view>& alpn);
  // For connections accepted from now on. REQUIRES: Validate(policy).ok().
  void SetPolicy(const ServerPolicy& policy);
  // For tickets sealed and opened from now on; null: those of the constructor.
  void SetTicketKeys(std::shared_ptr<const TicketKeys> keys) { ticket_keys_ = std::move(keys); }
  // Asked at each handshake; not owned. Null: no name is special.
  void SetPolicies(const HandshakePolicies* policies) { policies_ = policies; }

 private:
  friend class TlsTransport;
  struct Callbacks;

  // Gives the connection the certificates for its server name; false if there is none.
  bool ChooseCertificates(SSL* ssl, std::string_view server_name);

  // Per connection, since OpenSSL cannot take them from a context again.
  void OfferDhParameters(SSL* ssl) const;

  const TicketKeys& ticket_keys() const {
    return ticket_keys_ != nullptr ? *ticket_keys_ : *own_ticket_keys_;
  }

  SSL_CTX* context_;
  const std::shared_ptr<const TicketKeys> own_ticket_keys_;
  std::shared_ptr<const TicketKeys> ticket_keys_;
  const HandshakePolicies* policies_ = nullptr;
  bool reject_unknown_names_ = false;
  KeyPtr dh_parameters_;  // null: no DHE ciphers
  TrustCache trust_;
  const CertTable* table_ = nullptr;
  CertificateCache parsed_;
  std::string alpn_;  // as on the wire: each name after its length
  IoScratch scratch_;
};

}  // namespace headgate::tls
