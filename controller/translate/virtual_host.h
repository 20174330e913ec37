// One host: the claims of all its Ingresses become one VirtualHost.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "controller/translate/backends.h"
#include "controller/translate/config_map/settings.h"
#include "controller/translate/dns_cluster.h"
#include "controller/translate/header_config_maps.h"
#include "controller/translate/host_table.h"
#include "controller/translate/host_tls.h"
#include "controller/translate/translation.h"

namespace headgate::translate {

struct VirtualHostInput {
  std::string_view host;
  const HostRole& role;
  // The host's own TLS, or that of the wildcard host above it when it has none itself.
  const HostTls& tls;
  // Serves what no rule matches; absent: the built-in 404.
  const std::optional<BackendRef>& default_backend;
  // What the Ingresses do not say by annotations.
  const IngressDefaults& defaults;
  // Which clients the host lets in; absent: everybody.
  const std::optional<v1::ClientAuth>& client_auth;
  const ConfigMapLookup& config_map_of;
};

struct VirtualHostResult {
  ResourcePtr resource;  // null: the host does not exist
  std::vector<ClusterRef>
      clusters;  // that routes lead to, or ask; sorted, each once, as are the next
  std::vector<DnsClusterRef> dns_clusters;
  std::vector<Diagnostic> diagnostics;
};

// Rules:
//  - Exact and Prefix; ImplementationSpecific, and no path type, are Prefix. An empty path is "/".
//  - For the same type and path the older Ingress wins, within an Ingress the earlier path; the
//  loser gets a diagnostic.
//  - A host without a rule for Prefix "/" gets one: to the default backend of the Ingress that is
//  the oldest
//    for the host, else to that of the controller, else 404. It carries that Ingress's annotations.
//  - Prefix "/a/" sends "/a" there by 301, unless "/a" has a route of its own.
//  - A path of an Ingress with use-regex, or one that is rewritten, makes all paths of the host
//  case-insensitive
//    regular expressions, anchored at the start only; the longest text is tried first.
//  - A canary attaches to the route of the same type and path; of several the oldest. It makes no
//  route by itself.
//  - Another name of a host has that host's routes, or one redirect to it.
VirtualHostResult TranslateVirtualHost(const VirtualHostInput& input);

}  // namespace headgate::translate
