#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "common/named.h"
#include "dataplane/config/cluster_handle.h"
#include "dataplane/config/compile_clusters.h"
#include "dataplane/config/compiled_config.h"

namespace headgate::config {

// Joins Cluster resources with the Endpoints resources and DNS names they take addresses from and
// the secrets they speak TLS with, and remembers which clusters a change touches. Control thread
// only.
class ClusterIndex {
 public:
  // `registry` outlives the index.
  explicit ClusterIndex(ClusterRegistry& registry) : registry_(registry) {}

  void SetCluster(std::string_view name, ClusterSpec spec);
  void RemoveCluster(std::string_view name);
  void SetEndpoints(std::string_view name, std::vector<CompiledEndpoint> endpoints);
  void RemoveEndpoints(std::string_view name);
  void SetSecret(std::string_view name, TlsSecret secret);
  void RemoveSecret(std::string_view name);
  // Ports of `addresses` are ignored. Unknown names are, too.
  void SetDnsAddresses(std::string_view dns_name, std::span<const base::Address> addresses);

  struct Changes {
    std::vector<ClusterUpdate> clusters;
    std::vector<std::string> dns_started;
    std::vector<std::string> dns_stopped;
  };
  // Compiles each cluster touched since the last call, once.
  Changes TakeChanges();

  std::shared_ptr<const CompiledCluster> Find(std::string_view name) const;
  // Names are valid until the next change.
  std::vector<NamedCluster> All() const;
  size_t cluster_count() const { return cluster_count_; }
  size_t endpoints_count() const { return endpoints_count_; }
  size_t secret_count() const { return secret_count_; }

 private:
  struct Cluster;
  using Users = absl::InlinedVector<Cluster*, 2>;
  // Where addresses come from. Lives while it has users or a resource of its own.
  struct EndpointsSource final : Named<EndpointsSource> {
    bool given = false;
    EndpointList endpoints;
    Users users;
  };
  struct SecretSource final : Named<SecretSource> {
    bool given = false;
    TlsSecret secret;
    Users users;
  };
  struct DnsSource final : Named<DnsSource> {
    bool resolved = false;
    bool announced = false;  // the resolver has been told of it
    std::vector<base::Address> addresses;
    Users users;
  };
  struct DnsUse {
    DnsSource* source;
    uint16_t port;
  };

  struct Tls {
    std::unique_ptr<const ClusterSpec::Tls> spec;
    // Of the spec and its secret; null until the next compilation.
    std::shared_ptr<const tls::ClientPolicy> policy;
  };
  // There are thousands: of what the resource says only `compiled` is kept, as far as it is there.
  struct Cluster {
    ClusterHandle handle;  // and with it the name
    std::variant<EndpointsSource*, DnsUse, base::Address> source;
    std::unique_ptr<Tls> tls;  // null: plain TCP
    // What a resource says that has come since the last compilation, with nothing in it of other
    // resources. Becomes `compiled`, and is null then.
    std::shared_ptr<CompiledCluster> next;
    std::shared_ptr<const CompiledCluster> compiled;  // carries what is in use over to the next
    bool dirty = false;

    const CompiledCluster& latest() const { return next != nullptr ? *next : *compiled; }
  };

  Cluster* FindCluster(std::string_view name) const;
  void MarkDirty(Cluster& cluster);
  void Attach(Cluster& cluster, const ClusterSpec& spec);
  void Detach(Cluster& cluster);
  void ForgetUser(EndpointsSource& source, Cluster& cluster);
  static void AddBalancing(CompiledCluster& out);
  void AddEndpoints(const Cluster& cluster, CompiledCluster& out) const;
  static void AddLimits(const UpstreamLimits& limits, const CompiledCluster* before,
                        CompiledCluster& out);
  std::shared_ptr<const CompiledCluster> Compile(Cluster& cluster) const;
  std::shared_ptr<const tls::ClientPolicy> CompileTls(const ClusterSpec::Tls& spec) const;
  void TlsChanged(SecretSource& source);

  ClusterRegistry& registry_;
  std::vector<std::unique_ptr<Cluster>> clusters_;  // by slot; null: there is none
  NamedSet<EndpointsSource> endpoints_;
  NamedSet<DnsSource> dns_;
  NamedSet<SecretSource> secrets_;
  uint64_t last_id_ = 0;  // of a cluster
  size_t cluster_count_ = 0;
  size_t endpoints_count_ = 0;
  size_t secret_count_ = 0;
  std::vector<Cluster*> dirty_;
  std::vector<ClusterUpdate> removed_;
  std::vector<std::string> dns_touched_;
};

}  // namespace headgate::config
