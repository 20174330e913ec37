#pragma once

#include <string_view>

#include "dataplane/base/arena.h"
#include "dataplane/config/access.h"
#include "dataplane/proxy/variables.h"

namespace headgate::proxy {

// The head by which a client's request is shown to the server that decides on it: what an endpoint
// would get (forwarded.h) without Content-Length, Upgrade and X-Forwarded-Proto, and as in
// ingress-nginx with X-Original-URL, X-Original-Method, X-Sent-From, X-Auth-Request-Redirect and,
// with a method of its own, X-Original-URI. Views live as long as `arena`, `request` and
// `external`. False: there is no such request, for its target would hold bytes that no target may.
bool BuildAuthHead(const config::ExternalAuth& external, const RequestVariables& request,
                   base::Arena& arena, http::RequestHead& out);

}  // namespace headgate::proxy
