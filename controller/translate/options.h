// What translation depends on beside the cluster. Values only; set once by the edge.
#pragma once

#include <optional>
#include <string>

#include "common/secret_bytes.h"
#include "controller/kube/objects.h"
#include "controller/translate/annotations/rules.h"
#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::translate {

// A certificate chain and its key as PEM.
struct CertificatePem {
  std::string chain;
  SecretBytes key;
  friend bool operator==(const CertificatePem&, const CertificatePem&) = default;
};

struct Options {
  // Service that answers what matches no route (--default-backend-service), by its first port.
  std::optional<kube::ObjectKey> default_backend;
  // Secret served where no other certificate fits (--default-ssl-certificate).
  std::optional<kube::ObjectKey> default_certificate;
  // ConfigMap with options for the whole of Headgate (--configmap).
  std::optional<kube::ObjectKey> config_map;
  // ConfigMaps of TCP and UDP services (--tcp-services-configmap, --udp-services-configmap).
  std::optional<kube::ObjectKey> tcp_services;
  std::optional<kube::ObjectKey> udp_services;
  // Served as "cert/default" while there is no usable `default_certificate`. Made at the edge,
  // since a pure function cannot make a key.
  CertificatePem fallback_certificate;
  // What keys of session tickets are derived from; empty: there are none (ticket_keys.h).
  SecretBytes ticket_root;
  // Whether endpoints may have loopback addresses: with manifests on one machine, never in a
  // cluster.
  bool allow_loopback_endpoints = false;
  // False: Services of type ExternalName have no endpoints (--disable-svc-external-name).
  bool external_names = true;
  // Whether Ingresses may have TLS connections passed on unopened (--enable-ssl-passthrough).
  bool ssl_passthrough = false;
  // Under which annotations of ingress-nginx are looked for, with the '/' at its end
  // (--annotations-prefix).
  std::string annotation_prefix{kNginxPrefix};
  // False: Ingresses with a default backend are not in use (--disable-catch-all).
  bool catch_all = true;
  // Defaults of the whole data plane, for the resource "settings"; the ConfigMap overrides them.
  // default_certificate and default_backend_cluster are filled in by translation.
  v1::Settings settings;
};

}  // namespace headgate::translate
