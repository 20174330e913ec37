// What the ConfigMap named by --configmap asks for, parsed and checked, on top of the defaults.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/secret_bytes.h"
#include "controller/kube/objects.h"
#include "controller/translate/annotations/access_settings.h"
#include "controller/translate/annotations/header_settings.h"
#include "controller/translate/annotations/rules.h"
#include "controller/translate/annotations/upstream_settings.h"
#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::translate {

// The addresses of clients that a list of the ConfigMap names.
struct SourceRangeDefault {
  CidrList list;
  bool unusable = false;  // what it says is not known
  friend bool operator==(const SourceRangeDefault&, const SourceRangeDefault&) = default;
};

// The server that is asked about requests of Ingresses that name none.
struct ExternalAuthDefault {
  std::optional<ExternalAuthSettings> auth;
  bool unusable = false;  // one is named, and what is said of it is not known
  friend bool operator==(const ExternalAuthDefault&, const ExternalAuthDefault&) = default;
};

// What holds for every Ingress that does not say otherwise by an annotation.
struct IngressDefaults {
  bool ssl_redirect = true;
  bool force_ssl_redirect = false;
  bool preserve_trailing_slash = false;
  bool ssl_passthrough = false;  // may be asked for (--enable-ssl-passthrough)
  // 301, 302, 307 or 308.
  uint16_t redirect_code = 308;
  // Paths under these prefixes are never redirected to HTTPS.
  std::vector<std::string> no_tls_redirect = {"/.well-known/acme-challenge"};
  RewriteSettings rewrites;
  std::vector<uint16_t> error_statuses;       // whose bodies the default backend makes; sorted
  bool errors_local_only = false;             // but not those of endpoints' answers
  std::vector<std::string> response_headers;  // that Ingresses may set; sorted
  // Annotations may name Secrets and ConfigMaps of other namespaces.
  bool cross_namespace = false;
  // Nobody has to say who he is under these prefixes of paths.
  std::vector<std::string> no_auth = {"/.well-known/acme-challenge"};
  SourceRangeDefault allowed;
  SourceRangeDefault denied;
  ExternalAuthDefault external;
  // Of each response, in KiB (a second); 0: no limit.
  uint32_t limit_rate = 0;
  uint32_t limit_rate_after = 0;

  friend bool operator==(const IngressDefaults&, const IngressDefaults&) = default;
};

// ConfigMaps named by options. An empty name: none.
struct HeaderConfigMaps {
  kube::ObjectKey request;   // proxy-set-headers
  kube::ObjectKey response;  // add-headers
  friend bool operator==(const HeaderConfigMaps&, const HeaderConfigMaps&) = default;
};

struct GlobalSettings {
  // The resource "settings", without what translation fills in by itself.
  v1::Settings settings;
  // The Secret that ssl-dh-param names; an empty name: none.
  kube::ObjectKey dh_secret;
  // The only key of session tickets; empty: derived ones (ticket_keys.h).
  SecretBytes ticket_key;
  IngressDefaults ingress;
  AnnotationRules annotations;
  UpstreamSettings upstream;
  HeaderConfigMaps headers;
  // What all TCP services have; its proxy_protocol is for those that take a header.
  v1::TcpService stream;
};

}  // namespace headgate::translate
