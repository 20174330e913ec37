#pragma once

#include <string>
#include <string_view>

#include "dataplane/base/arena.h"
#include "dataplane/config/compiled_config.h"
#include "dataplane/http/connection_info.h"
#include "dataplane/http/message.h"
#include "dataplane/net/proxy_protocol.h"

namespace headgate::proxy {

// Who the client is and what it asked for, as far as we believe it. Views live in the arena, the
// request head or the connection.
struct ClientView {
  std::string_view ip;                             // for logs, limits, X-Real-IP
  std::string_view scheme;                         // "http" or "https"
  std::string_view host;                           // with port, as the client wrote it
  std::string_view port;                           // of the listener as clients see it
  std::string_view forwarded_for;                  // what the upstream gets as X-Forwarded-For
  std::string_view address_field;                  // where a chain of addresses comes in
  const base::ClientIdentity* identity = nullptr;  // null: no certificate was asked for
};

// X-Forwarded-* of the request are believed only when settings say so and the peer is in
// trusted_cidrs; then the client address is found by walking X-Forwarded-For, or the field that
// settings name, from the right over trusted addresses.
ClientView ResolveClient(const http::RequestHead& head, const http::ConnectionInfo& connection,
                         const config::CompiledSettings& settings, base::Arena& arena);

// The client's address to compare with others. The port is 0 where another proxy has told us the
// address.
base::Address AddressOf(const ClientView& client, const http::ConnectionInfo& connection);

// What an endpoint that wants a PROXY protocol header is told.
std::string MakeProxyHeader(net::ProxyVersion version, const ClientView& client,
                            const http::ConnectionInfo& connection);

// Fills `out` with the head to send upstream: the client's fields without those that are ours to
// set, then Host, X-Request-ID, X-Real-IP, X-Forwarded-{For,Host,Port,Proto,Scheme}, X-Scheme, the
// ssl-client-* fields where certificates are asked for and, where the client had sent them,
// X-Original-Forwarded-{For,Host}. Hop-by-hop fields are left to the codec. `target` is what to ask
// the upstream for. `out` keeps its capacity over uses.
void BuildUpstreamHead(const http::RequestHead& head, const ClientView& client,
                       std::string_view request_id, std::string_view target,
                       http::RequestHead& out);

}  // namespace headgate::proxy
