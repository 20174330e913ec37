#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "dataplane/base/address.h"
#include "dataplane/http/header_map.h"

namespace headgate::codec {

using std::chrono::milliseconds;

// What a request head may be.
struct RequestLimits {
  uint32_t max_head_bytes = 32 * 1024;  // else 431
  uint32_t max_line_bytes = 32 * 1024;  // of the request line, else 414
  uint32_t max_fields = 100;            // else 431
  http::Underscores underscores = http::Underscores::kDropped;
  uint32_t max_trailer_bytes = 8 * 1024;
};

struct ResponseLimits {
  uint32_t max_head_bytes = 64 * 1024;
  uint32_t max_fields = 1000;
  uint32_t max_trailer_bytes = 8 * 1024;
};

// Who stands between clients and us and says who they are, by the PROXY protocol.
struct LoadBalancers {
  bool required = false;            // every connection begins with a header
  std::vector<base::Cidr> trusted;  // whose word counts
  milliseconds header_timeout{5'000};
};

// Of HTTP/2 with clients.
struct Http2Options {
  // On plain connections, for clients that begin with the preface (RFC 9113 section 3.3).
  bool on_plain_connections = false;
  uint32_t max_streams = 128;                // that a client may have open at once
  uint32_t stream_window = 64 * 1024;        // request body bytes under way in one stream
  uint32_t connection_window = 1024 * 1024;  // and in all of a connection
};

// Read at each use, so the worker may change it in place while connections live.
struct ServerOptions {
  RequestLimits limits;
  milliseconds handshake_timeout{15'000};
  milliseconds head_timeout{60'000};  // first byte (or accept) to complete head, else 408
  milliseconds body_timeout{60'000};  // between two reads of a body, else 408
  milliseconds idle_timeout{75'000};  // between requests; 0: no keep-alive
  milliseconds send_timeout{60'000};  // between two writes that make progress, else closed
  // How long a client may go on sending after an answer that ended the connection.
  milliseconds linger_timeout{5'000};
  uint32_t max_requests = 0;  // per connection; 0: no limit
  // Whether a client that ends its direction while it waits for a response is taken for gone. Off:
  // a client may half-close, and only a reset ends the exchange.
  bool cancel_on_half_close = false;
  // What is read and dropped of a request body that nobody wants, to keep the connection.
  uint64_t max_drain_bytes = 64 * 1024;
  LoadBalancers load_balancers;
  Http2Options http2;
};

struct ClientOptions {
  ResponseLimits limits;
  uint32_t max_requests = 10'000;  // per connection; 0: no limit
  milliseconds max_age{0};         // from which on it gets no more requests; 0: no limit
  bool http_1_0 = false;           // spoken in place of HTTP/1.1; max_requests is then 1
};

// Of one attempt.
struct AttemptTimeouts {
  milliseconds connect{5'000};  // with the TLS handshake
  milliseconds send{60'000};    // between two writes that make progress
  milliseconds read{60'000};    // between two reads
};

}  // namespace headgate::codec
