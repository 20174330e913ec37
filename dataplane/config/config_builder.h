#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "dataplane/config/compiled_config.h"
#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::config {

// A resource whose new form could not be used.
struct Refusal {
  std::string resource;
  uint64_t hash = 0;
  // One line for people: what is wrong with which field. Holds no secrets.
  std::string reason;
};

struct BuildResult {
  // For every worker, as one message. Its config is never null in the first result.
  ConfigUpdate update;
  std::vector<Refusal> refusals;
  // DNS names that some cluster has begun to need, and that none needs any more. Each name is in
  // one of the lists at most; what the resolver finds comes back through ConfigBuilder::Resolved.
  std::vector<std::string> dns_started;
  std::vector<std::string> dns_stopped;
};

// Number of resources in their last good form.
struct ResourceCounts {
  size_t settings = 0;
  size_t virtual_hosts = 0;
  size_t routes = 0;
  size_t clusters = 0;
  size_t endpoints = 0;
  size_t certificates = 0;
  size_t secrets = 0;
  size_t file_sets = 0;
  size_t tcp_services = 0;
};

// Keeps the compiled form of every resource and turns changes into updates for the workers. The
// cost of a change is proportional to the resources in it (and, for a certificate, to the hosts
// that offer it), not to what is held. No protobuf message is kept.
//
// A resource that is refused keeps its last good form; everything else in the same call takes
// effect. References to resources that are not there are valid: a cluster that is missing is one
// without endpoints for its routes, a certificate that is missing leaves its host to the default
// one.
//
// Thread: the control thread only. Outlives every CompiledConfig made by it, whose last references
// are dropped on the same thread (they hold ClusterHandles).
class ConfigBuilder {
 public:
  struct Options {
    // Take loopback and link-local addresses from DNS. Off: a name that leads to this host's own
    // services or to the cloud's metadata address opens nothing.
    bool allow_local_dns = false;
  };

  explicit ConfigBuilder(Options options);
  ~ConfigBuilder();
  ConfigBuilder(const ConfigBuilder&) = delete;
  ConfigBuilder& operator=(const ConfigBuilder&) = delete;

  // Makes all the changes take effect as a whole. A name occurs once in `upserts` and `removed`
  // together. Removing a name that is not held is no error.
  BuildResult Apply(absl::Span<const v1::Resource* const> upserts,
                    absl::Span<const std::string> removed);

  // New addresses of a DNS name (their ports are ignored); takes the place of all earlier ones.
  // Empty: the name has none, its clusters answer 503. A name that no cluster needs (any more)
  // changes nothing.
  ConfigUpdate Resolved(std::string_view dns_name, std::span<const base::Address> addresses);

  // What has been applied. Never null after the first Apply.
  const std::shared_ptr<const CompiledConfig>& config() const;
  // The compiled cluster of that name ("cluster/ns/service/port"), or null.
  std::shared_ptr<const CompiledCluster> FindCluster(std::string_view name) const;
  // Every cluster that exists, in no particular order. Names are valid until the next Apply.
  std::vector<NamedCluster> Clusters() const;
  // Which certificates hosts offer, present or missing; see CertificateIndex::ForEach.
  void ForEachCertificate(const std::function<void(std::string_view host, std::string_view name,
                                                   const tls::Certificate*)>& visit) const;
  ResourceCounts counts() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace headgate::config
