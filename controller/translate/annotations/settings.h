// What the annotations of one Ingress ask for, parsed and checked. Absent means: the default for
// all Ingresses, of the ConfigMap or of the data plane.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace headgate::translate {

// A fixed answer with a Location header instead of a backend.
struct RedirectTo {
  std::string location;
  uint16_t status = 0;
  friend bool operator==(const RedirectTo&, const RedirectTo&) = default;
};

struct IngressSettings {
  // Seconds.
  std::optional<uint32_t> connect_timeout;
  std::optional<uint32_t> send_timeout;
  std::optional<uint32_t> read_timeout;
  // Bytes; 0: no limit.
  std::optional<uint64_t> max_request_body;
  // Redirect plain HTTP if the host has TLS, or whether or not it has.
  std::optional<bool> ssl_redirect;
  std::optional<bool> force_ssl_redirect;
  std::optional<RedirectTo> redirect;
  // Every request is answered 503: something that protects the Ingress cannot be put into effect.
  bool denied = false;

  friend bool operator==(const IngressSettings&, const IngressSettings&) = default;
};

}  // namespace headgate::translate
