#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "dataplane/config/compiled_config.h"
#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::config {

// A Cluster resource, checked; its addresses and secrets come from elsewhere.
struct ClusterSpec : ClusterTraits {  // whose id and health's group and source are left empty
  struct Tls {
    tls::ClientPolicy policy;  // without what the secret adds: trust and certificate
    std::string secret;        // name of a SecretData resource; empty: none
  };
  struct EndpointsName {
    std::string name;  // of an Endpoints resource
  };
  struct DnsName {
    std::string name;  // in lower case, resolved again and again
    uint16_t port = 0;
  };

  std::unique_ptr<const Tls> tls;  // set for kHttps and kH2
  // Where addresses come from; a DNS name that is an address is one.
  std::variant<EndpointsName, DnsName, base::Address> source;
  std::shared_ptr<const UpstreamLimits> limits;  // null: none
};

// Addresses that a name from outside the cluster must not lead to, or it would open this host's own
// services: loopback, link-local, unspecified and multicast.
bool IsLocalAddress(const base::Address& address);

// What TLS with endpoints takes from a SecretData resource. Either may be null.
struct TlsSecret {
  std::shared_ptr<const tls::TrustStore> trust;
  std::shared_ptr<const tls::Certificate> certificate;
};

// Reads "ca.crt", "tls.crt" and "tls.key". Other keys are passed over.
absl::StatusOr<TlsSecret> CompileTlsSecret(const v1::SecretData& secret,
                                           tls::CertificateParser& parser);

// Refuses a `dns` cluster for a name that means this host, unless `allow_local`.
absl::StatusOr<ClusterSpec> CompileCluster(const v1::Cluster& cluster, bool allow_local);

// Duplicates (same address and port) become one, which is live if any of them is.
absl::StatusOr<std::vector<CompiledEndpoint>> CompileEndpoints(const v1::Endpoints& endpoints);

}  // namespace headgate::config
