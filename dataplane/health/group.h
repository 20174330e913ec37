#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "dataplane/config/compiled_config.h"
#include "dataplane/health/prober.h"
#include "dataplane/tls/client_context.h"

namespace headgate::health {

class Group;

class GroupOwner {
 public:
  virtual void OnProbed(bool success) = 0;
  // The group's unhealthy endpoints are others than before.
  virtual void OnVerdictChanged(Group& group) = 0;

 protected:
  ~GroupOwner() = default;
};

// One check of the endpoints of one upstream, for however many clusters. On the health thread.
class Group final : private ProberOwner {
 public:
  struct Environment {
    codec::WorkerIo& io;
    const codec::ClientOptions& options;
    tls::IoScratch& tls_scratch;
    uint64_t seed = 0;
  };

  // Everything in `environment` and `owner` outlive it. REQUIRES: `cluster` has a check.
  Group(const Environment& environment, const config::CompiledCluster& cluster, GroupOwner& owner);
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  // Takes over endpoints and TLS settings. Probers of endpoints that stay go on. REQUIRES: same
  // group.
  void Update(const config::CompiledCluster& cluster);

  const std::string& key() const { return health_->group; }
  const std::string& source() const { return health_->source; }
  const config::HealthCheck& check() const { return *health_->check; }
  // The clusters that it probes for.
  absl::btree_set<config::ClusterSlot>& slots() { return slots_; }
  size_t size() const { return probers_.size(); }

  // Never null.
  const std::shared_ptr<const config::UnhealthyEndpoints>& unhealthy() const { return unhealthy_; }
  // Of one of these.
  std::string_view DetailOf(const base::Address& endpoint) const;

 private:
  void OnProbed(Prober& prober, bool success, bool changed) override;
  void RedoUnhealthy();
  void UseTls(const config::CompiledCluster& cluster);

  const Environment environment_;
  GroupOwner& owner_;
  const std::shared_ptr<const config::UpstreamHealth> health_;
  absl::btree_set<config::ClusterSlot> slots_;
  std::shared_ptr<const tls::ClientPolicy> tls_policy_;
  std::unique_ptr<tls::ClientContext> tls_;
  ProbeContext context_;
  absl::flat_hash_map<base::Address, std::unique_ptr<Prober>> probers_;
  std::shared_ptr<const config::UnhealthyEndpoints> unhealthy_;
};

}  // namespace headgate::health
