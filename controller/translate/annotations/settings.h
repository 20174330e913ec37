// What the annotations of one Ingress ask for, parsed and checked. Absent means: the default for
// all Ingresses, of the ConfigMap or of the data plane.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "controller/kube/objects.h"
#include "controller/translate/annotations/access_settings.h"
#include "controller/translate/annotations/header_settings.h"
#include "controller/translate/annotations/upstream_settings.h"

namespace headgate::translate {

// A fixed answer with a Location header instead of a backend.
struct RedirectTo {
  std::string location;
  uint16_t status = 0;
  friend bool operator==(const RedirectTo&, const RedirectTo&) = default;
};

enum class ClientVerification : uint8_t { kRequired = 0, kOff, kOptional, kOptionalNoCa };

// Which clients come in by certificate.
struct ClientCertificates {
  // With ca.crt. Empty when the reference is malformed.
  kube::ObjectKey secret;
  ClientVerification verification = ClientVerification::kRequired;
  uint32_t verify_depth = 1;
  std::string error_page;     // absolute URL or path, or empty
  std::string match_subject;  // RE2 or empty
  bool pass_certificate = false;
  friend bool operator==(const ClientCertificates&, const ClientCertificates&) = default;
};

enum class BackendProtocol : uint8_t {
  kUnspecified = 0,  // as the Service says
  kHttp,
  kHttps,
  kAutoHttp,  // as the client does
  kGrpc,
  kGrpcs,
};

// How endpoints are told who the client is, by the PROXY protocol.
enum class UpstreamProxyProtocol : uint8_t { kOff = 0, kV1, kV2 };

// How TLS is spoken with endpoints that want it.
struct UpstreamTls {
  bool verify = false;
  uint32_t verify_depth = 1;
  std::string name;        // to verify and to send; empty: the Service's own
  bool send_name = false;  // SNI
  uint8_t min_minor = 2;   // of TLS 1.x
  uint8_t max_minor = 3;
  kube::ObjectKey secret;  // authorities and own certificate; empty: those of the system, and none
  std::string ciphers;     // OpenSSL list for TLS 1.2; empty: OpenSSL's default
  friend auto operator<=>(const UpstreamTls&, const UpstreamTls&) = default;
};

// Whether bodies are held, and how much of one. Bytes.
struct BufferingSettings {
  std::optional<bool> request;
  std::optional<uint64_t> request_memory;
  std::optional<bool> response;
  std::optional<uint64_t> response_buffer;
  std::optional<uint64_t> response_buffers;
  std::optional<uint64_t> response_file;
  std::optional<uint64_t> response_busy;
  friend bool operator==(const BufferingSettings&, const BufferingSettings&) = default;
};

// When an attempt is followed by another.
struct NextUpstreamSettings {
  std::optional<uint32_t> conditions;  // bits by v1::NextUpstream::Condition
  std::optional<uint32_t> tries;       // 0: no limit
  std::optional<uint32_t> timeout;     // seconds; 0: no limit
  friend bool operator==(const NextUpstreamSettings&, const NextUpstreamSettings&) = default;
};

enum class SameSite : uint8_t { kUnset = 0, kNone, kLax, kStrict };

// The cookie of sessions that stay with an endpoint. Seconds.
struct SessionCookieSettings {
  std::string name = "INGRESSCOOKIE";
  std::optional<int64_t> expires;
  std::optional<int64_t> max_age;
  std::string domain;
  std::string path;  // empty: that of the Ingress
  bool secure = false;
  SameSite same_site = SameSite::kUnset;
  bool conditional_same_site_none = false;
  bool change_on_failure = false;
  friend bool operator==(const SessionCookieSettings&, const SessionCookieSettings&) = default;
};

// A directory below one that the data plane knows by name.
struct StaticRoot {
  std::string name;
  std::string path;  // without slash at either end; empty: all of it
  friend bool operator==(const StaticRoot&, const StaticRoot&) = default;
};

struct IngressSettings {
  // Seconds.
  std::optional<uint32_t> connect_timeout;
  std::optional<uint32_t> send_timeout;
  std::optional<uint32_t> read_timeout;
  std::optional<uint32_t> tunnel_idle_timeout;
  // Bytes; 0: no limit.
  std::optional<uint64_t> max_request_body;
  BufferingSettings buffering;
  bool no_compression = false;
  // Redirect plain HTTP if the host has TLS, or whether or not it has.
  std::optional<bool> ssl_redirect;
  std::optional<bool> force_ssl_redirect;
  std::optional<bool> preserve_trailing_slash;  // in redirects to HTTPS
  std::optional<RedirectTo> redirect;
  std::optional<bool> relative_redirects;  // to paths of the host
  std::optional<bool> port_in_https_redirects;
  // Paths are regular expressions.
  bool use_regex = false;
  // Templates over $1 to $9, the groups of the path; empty: none.
  std::string rewrite_target;
  std::string forwarded_prefix;  // of no effect without the above
  std::string app_root;          // absolute path or empty
  std::optional<ClientCertificates> client_certificates;
  std::string ssl_ciphers;  // OpenSSL list, or empty
  std::optional<bool> server_chooses_cipher;
  BackendProtocol backend_protocol = BackendProtocol::kUnspecified;
  UpstreamTls upstream_tls;
  bool ssl_passthrough = false;  // of TLS connections for the hosts
  AccessSettings access;
  UpstreamSettings upstream;
  NextUpstreamSettings next_upstream;
  std::optional<SessionCookieSettings> session_cookie;
  UpstreamProxyProtocol upstream_proxy_protocol = UpstreamProxyProtocol::kOff;
  HeaderSettings headers;
  // What snippets say: a v1::RoutePolicy, serialised, with header edits and replies; empty:
  // nothing. The second is for the whole host, the third for the question to the server of
  // auth-url.
  std::string location_snippet;
  std::string server_snippet;
  std::string auth_snippet;
  // Instead of every backend.
  std::optional<StaticRoot> static_root;
  // For whatever is answered from files.
  std::string static_fallback;
  std::string cache_control;
  std::optional<uint32_t> expires;  // seconds
  // Every request is answered 503: something that protects the Ingress cannot be put into effect.
  bool denied = false;

  friend bool operator==(const IngressSettings&, const IngressSettings&) = default;
};

}  // namespace headgate::translate
