#pragma once

#include <openssl/types.h>

#include <memory>
#include <string_view>

#include "dataplane/tls/client_policy.h"
#include "dataplane/tls/io_scratch.h"

typedef struct ssl_session_st SSL_SESSION;  // which openssl/types.h does not declare

namespace headgate::tls {

struct SessionFree {
  void operator()(SSL_SESSION* session) const;
};
struct ContextFree {
  void operator()(SSL_CTX* context) const;
};

// The last session that one peer has offered, for the next connection to it. Belongs to one
// context: a session that was verified under one policy is never resumed under another. Outlives
// its transports.
class SessionSlot {
 public:
  bool empty() const { return session_ == nullptr; }

 private:
  friend class ClientContext;
  friend class TlsTransport;
  std::unique_ptr<SSL_SESSION, SessionFree> session_;
};

// How one worker speaks TLS with the endpoints of one cluster. Transports made from it may outlive
// it.
//
// Thread: the worker's; only the trust store is shared with other workers.
class ClientContext {
 public:
  // `alpn`: the one protocol offered ("h2", "http/1.1"). `scratch` outlives every transport.
  // REQUIRES: Validate(*policy).ok().
  ClientContext(std::shared_ptr<const ClientPolicy> policy, std::string_view alpn,
                IoScratch& scratch);
  ClientContext(const ClientContext&) = delete;
  ClientContext& operator=(const ClientContext&) = delete;

 private:
  friend class TlsTransport;
  static int OnNewSession(SSL* ssl, SSL_SESSION* session);

  const std::shared_ptr<const ClientPolicy> policy_;
  std::unique_ptr<SSL_CTX, ContextFree> context_;
  IoScratch& scratch_;
};

}  // namespace headgate::tls
