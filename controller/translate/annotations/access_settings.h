// What a request must pass before it is forwarded, as far as annotations say.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "controller/kube/objects.h"
#include "controller/translate/annotations/upstream_settings.h"

namespace headgate::translate {

// Addresses and CIDRs, sorted, each once; not empty unless it says so.
using CidrList = std::vector<std::string>;

// Users who come in by name and password.
struct PasswordSettings {
  kube::ObjectKey secret;
  bool digest = false;  // the scheme; else it is Basic
  bool map = false;     // each key of the Secret is a user; else "auth" is a file of them
  std::string realm;
  friend bool operator==(const PasswordSettings&, const PasswordSettings&) = default;
};

// How much a client may ask for; 0: no limit.
struct RateLimitSettings {
  uint32_t per_second = 0;
  uint32_t per_minute = 0;
  uint32_t connections = 0;
  uint32_t burst_multiplier = 5;  // of the limits per time
  CidrList exempt;                // may be empty
  bool shared = false;            // by all data planes
  // Of each response, in KiB (a second).
  std::optional<uint32_t> rate;
  std::optional<uint32_t> rate_after;
  bool any() const { return per_second != 0 || per_minute != 0 || connections != 0; }
  friend bool operator==(const RateLimitSettings&, const RateLimitSettings&) = default;
};

// How long answers of these statuses are kept.
struct CachedStatuses {
  std::vector<uint32_t> statuses;
  int64_t milliseconds = 0;
  friend bool operator==(const CachedStatuses&, const CachedStatuses&) = default;
};

// A server that is asked whether requests may pass.
struct ExternalAuthSettings {
  bool tls = false;
  bool own_host = false;  // the host is that of the request
  std::string host;       // in lower case; empty with own_host
  uint16_t port = 0;
  std::string target;  // path and query; this, signin and cache_key: a v1::TextTemplate, serialised
  std::string method;  // empty: GET
  std::optional<std::string> signin;
  std::string signin_parameter;  // empty: "rd"
  std::vector<std::string> response_headers;
  std::string request_redirect;  // empty: the request's target
  bool always_set_cookie = false;
  std::string cache_key;  // empty: answers are not kept
  std::vector<CachedStatuses> cached;
  ConnectionSettings connections;   // with the server
  bool own_request_id = false;      // of the question, where a request comes without
  kube::ObjectKey request_headers;  // ConfigMap with further fields of the question; empty: none
  friend bool operator==(const ExternalAuthSettings&, const ExternalAuthSettings&) = default;
};

struct AccessSettings {
  RateLimitSettings limits;
  // Each takes the place of the ConfigMap's list.
  std::optional<CidrList> allowed;
  std::optional<CidrList> denied;
  bool satisfy_any = false;
  std::optional<PasswordSettings> password;
  std::optional<ExternalAuthSettings> external;
  bool no_global_auth = false;  // that of the ConfigMap is not for this Ingress
  friend bool operator==(const AccessSettings&, const AccessSettings&) = default;
};

}  // namespace headgate::translate
