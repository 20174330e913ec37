// Names of resources, as proto/headgate/v1/snapshot.proto lays them down.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "controller/kube/objects.h"

namespace headgate::translate {

// What a cluster and its endpoints are named after: a Service port as an Ingress wrote it. An empty
// port is the first that the Service has, and "0" in names.
struct BackendRef {
  kube::ObjectKey service;
  kube::PortRef port;

  friend auto operator<=>(const BackendRef&, const BackendRef&) = default;
  friend bool operator==(const BackendRef&, const BackendRef&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const BackendRef& ref) {
    return H::combine(std::move(h), ref.service, ref.port);
  }
};

// The host of rules without host, and the name of its virtual host.
inline constexpr std::string_view kEveryHost = "_";

inline constexpr std::string_view kSettingsName = "settings";
inline constexpr std::string_view kDefaultCertificateName = "cert/default";

std::string VirtualHostName(std::string_view host);
std::string ClusterName(const BackendRef& backend);
std::string EndpointsName(const BackendRef& backend);
std::string CertificateName(const kube::ObjectKey& secret);
std::string SecretName(const kube::ObjectKey& secret);
// What endpoints are verified with and shown, of the same Secret.
std::string UpstreamSecretName(const kube::ObjectKey& secret);

// Whether `name` can be part of a resource name without being taken for two.
bool IsNamePart(std::string_view name);

}  // namespace headgate::translate
