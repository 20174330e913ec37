// Transport over HTTP(S) by cpprestsdk, which and whose exceptions nobody else sees.
#pragma once

#include <cstddef>
#include <memory>

#include "absl/time/time.h"
#include "controller/kube/credentials.h"
#include "controller/kube/transport.h"

namespace headgate::kube {

struct RestTransportOptions {
  std::string user_agent = "headgate-controller";
  // Until the head of the answer is there, including connecting and the TLS handshake.
  absl::Duration head_limit = absl::Seconds(15);
};

// Client certificate, CA and token are read again for each new connection (the token for each
// request), so they may be rotated. Call InitializeRest first.
std::unique_ptr<Transport> MakeRestTransport(const ApiServerConfig& config,
                                             const RestTransportOptions& options = {});

// Sets the number of threads the library uses for all transports together (its own default is 40).
// Once, by main, before the first transport.
void InitializeRest(size_t threads = 2);

}  // namespace headgate::kube
