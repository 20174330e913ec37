// How requests reach an API server: the seam between the reflectors and HTTP.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace headgate::kube {

// The answer to a request that got one.
struct HttpResult {
  int status = 0;
  // When the status is not 2xx: the beginning of the body.
  std::string error_body;
  // Header Retry-After, if it was given in seconds; else zero.
  absl::Duration retry_after;
};

enum class WriteMethod : uint8_t {
  kPost,   // create
  kPut,    // replace
  kPatch,  // JSON merge patch (RFC 7396)
};

// One connection's worth of requests, one at a time. Used by one thread; only Cancel may be called
// by others.
class Transport {
 public:
  // Gets a part of the body of a 200, as soon as it is there. False ends the request.
  using OnData = std::function<bool(std::string_view)>;

  virtual ~Transport() = default;

  // GET `target` (path and query). Blocks until the whole body came or the request failed.
  // `idle_limit` bounds the time between two parts of the body. Errors: UNAVAILABLE (no connection,
  // or it broke), DEADLINE_EXCEEDED (nothing came in time), CANCELLED, ABORTED (`on_data` returned
  // false), UNAUTHENTICATED (no usable credentials).
  virtual absl::StatusOr<HttpResult> Get(const std::string& target, absl::Duration idle_limit,
                                         const OnData& on_data) = 0;

  // Sends a JSON document; `on_data` gets the body of the answer as with Get. Errors as above, and
  // after one of them nobody knows whether the document was taken.
  virtual absl::StatusOr<HttpResult> Write(WriteMethod method, const std::string& target,
                                           const std::string& body, absl::Duration idle_limit,
                                           const OnData& on_data) = 0;

  // Makes the present and every later request return CANCELLED at once. Thread: any.
  virtual void Cancel() = 0;
};

using TransportFactory = std::function<std::unique_ptr<Transport>()>;

}  // namespace headgate::kube
