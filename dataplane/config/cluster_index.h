#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "common/strings.h"
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
  std::vector<std::shared_ptr<const CompiledCluster>> All() const;
  size_t cluster_count() const { return clusters_.size(); }
  size_t endpoints_count() const { return endpoints_count_; }
  size_t secret_count() const { return secret_count_; }

 private:
  struct Cluster;
  using Users = std::vector<Cluster*>;
  // Where addresses come from. Lives while it has users or a resource of its own.
  struct EndpointsSource {
    std::vector<CompiledEndpoint> endpoints;
    bool given = false;
    Users users;
  };
  struct SecretSource {
    TlsSecret secret;
    bool given = false;
    Users users;
  };
  struct DnsSource {
    std::vector<base::Address> addresses;
    bool resolved = false;
    bool announced = false;  // the resolver has been told of it
    Users users;
  };
  template <typename T>
  using ByName = std::unordered_map<std::string, T, TransparentStringHash, TransparentStringEqual>;

  struct Cluster {
    ClusterHandle handle;  // and with it the name
    ClusterSpec spec;
    // Of the spec and its secret; null until the next compilation.
    std::shared_ptr<const tls::ClientPolicy> tls;
    std::shared_ptr<const CompiledCluster> compiled;  // carries what is in use over to the next
    bool dirty = false;
  };

  void MarkDirty(Cluster& cluster);
  static void AddBalancing(const ClusterSpec& spec, CompiledCluster& out);
  void AddEndpoints(const ClusterSpec& spec, CompiledCluster& out) const;
  static void AddLimits(const UpstreamLimits& limits, const CompiledCluster* before,
                        CompiledCluster& out);
  void Attach(Cluster& cluster);
  void Detach(Cluster& cluster);
  void ForgetEndpointsUser(std::string_view endpoints, Cluster& cluster);
  std::shared_ptr<const CompiledCluster> Compile(Cluster& cluster) const;
  std::shared_ptr<const tls::ClientPolicy> CompileTls(const ClusterSpec::Tls& spec) const;
  void TlsChanged(SecretSource& source);

  ClusterRegistry& registry_;
  absl::flat_hash_map<std::string_view, std::unique_ptr<Cluster>>
      clusters_;  // by the handle's name
  ByName<EndpointsSource> endpoints_;
  ByName<DnsSource> dns_;
  ByName<SecretSource> secrets_;
  size_t endpoints_count_ = 0;
  size_t secret_count_ = 0;
  std::vector<Cluster*> dirty_;
  std::vector<ClusterUpdate> removed_;
  std::vector<std::string> dns_touched_;
};

}  // namespace headgate::config
