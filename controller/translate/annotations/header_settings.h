// What the annotations of one Ingress say about the heads of messages, and about requests that go
// elsewhere than to its backends; parsed and checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "controller/kube/objects.h"

namespace headgate::translate {

// Cross-origin requests. As in v1::Cors.
struct CorsSettings {
  std::vector<std::string> origins;  // never empty; "*" alone for every origin
  std::string allow_methods;
  std::string allow_headers;
  std::string expose_headers;
  bool allow_credentials = true;
  int64_t max_age = 0;  // seconds
  friend bool operator==(const CorsSettings&, const CorsSettings&) = default;
};

// The beginning of something, and what takes its place.
struct Replacement {
  std::string from;  // empty: nothing is replaced, whatever the defaults say
  std::string to;
  friend bool operator==(const Replacement&, const Replacement&) = default;
};

// What is replaced in endpoints' answers. Absent: what the ConfigMap says.
struct RewriteSettings {
  std::optional<Replacement> cookie_domain;
  std::optional<Replacement> cookie_path;
  std::optional<std::string> redirect_from;  // "off", "default" or the beginning of a URL
  std::optional<std::string> redirect_to;    // "off" or the beginning of a URL
  friend bool operator==(const RewriteSettings&, const RewriteSettings&) = default;
};

// An Ingress that gets a share of another's requests. As in v1::Canary.
struct CanarySettings {
  uint32_t weight = 0;
  uint32_t weight_total = 100;
  std::string header;
  std::string header_value;
  std::string header_pattern;
  std::string cookie;
  friend bool operator==(const CanarySettings&, const CanarySettings&) = default;
};

// Where the bodies of failures come from.
struct ErrorSettings {
  std::optional<std::vector<uint16_t>> statuses;  // sorted; absent: those of the ConfigMap
  bool local_only = false;                        // answers of endpoints stay as they are
  std::string service;  // of the namespace, by its first port; empty: the default backend
  friend bool operator==(const ErrorSettings&, const ErrorSettings&) = default;
};

// Where a copy of every request goes.
struct MirrorSettings {
  std::string host;  // of the URL, in lower case
  uint16_t port = 0;
  bool tls = false;
  std::string target;       // path and query: a v1::TextTemplate, serialised
  std::string host_header;  // sent as Host
  bool without_body = false;
  friend bool operator==(const MirrorSettings&, const MirrorSettings&) = default;
};

// Whether and how requests are traced; what is not set is the options' to say.
struct TracingSettings {
  std::optional<bool> enabled;
  std::optional<bool> trust_incoming;
  std::string operation_name;  // empty: not set
  friend bool operator==(const TracingSettings&, const TracingSettings&) = default;
};

enum class ConnectionHeader : uint8_t { kUnset = 0, kClose, kKeepAlive };

struct HeaderSettings {
  std::optional<CorsSettings> cors;
  std::string upstream_host;  // a v1::TextTemplate, serialised; empty: the client's
  ConnectionHeader connection = ConnectionHeader::kUnset;
  std::vector<std::string> hidden;  // fields of endpoints' answers
  RewriteSettings rewrites;
  bool access_log = true;
  bool rewrite_log = false;
  TracingSettings tracing;
  std::optional<CanarySettings> canary;
  bool canary_sessions_decided_anew = false;  // of this Ingress's canary
  ErrorSettings errors;
  std::optional<MirrorSettings> mirror;
  std::vector<std::string> aliases;  // more names of its hosts; in lower case
  bool www_redirect = false;  // the twins of its hosts, with and without "www.", are sent to them
  kube::ObjectKey custom_headers;  // ConfigMap with fields of every response; empty: none
  friend bool operator==(const HeaderSettings&, const HeaderSettings&) = default;
};

}  // namespace headgate::translate
