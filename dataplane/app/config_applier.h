#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/config/config_builder.h"
#include "dataplane/control/applier.h"
#include "dataplane/health/checker.h"
#include "dataplane/tracing/exporter.h"
#include "dataplane/upstream/dns_resolver.h"
#include "dataplane/worker/worker_pool.h"

namespace headgate::app {

// Compiles what the snapshot client brings, adds what DNS says of ExternalName services, and hands
// it to the workers. Lives on the control thread, where it is destroyed as well.
class ConfigApplier final : public control::Applier {
 public:
  // The arguments outlive this.
  ConfigApplier(config::ConfigBuilder::Options options, worker::WorkerPool& workers,
                health::Checker& checker, upstream::DnsResolver& resolver,
                tracing::Exporter& exporter);

  control::ApplyResult Apply(std::string_view version,
                             absl::Span<const v1::Resource* const> upserts,
                             absl::Span<const std::string> removed) override;
  void SetDataPlanes(uint32_t count) override { workers_.SetDataPlanes(count); }

  // The resolver's answer. Control thread.
  void Resolved(const std::string& name, const std::vector<base::Address>& addresses);

  // Control thread.
  const config::ConfigBuilder& builder() const { return builder_; }
  // The version in use; empty before the first.
  const std::string& version() const { return version_; }

  // True once all workers serve a complete configuration. Any thread.
  bool configured() const { return configured_.load(); }

 private:
  config::ConfigBuilder builder_;
  // To everybody who has to know. Returns the ports that could not be opened.
  std::vector<worker::TcpServices::Problem> Distribute(const config::ConfigUpdate& update);

  worker::WorkerPool& workers_;
  health::Checker& checker_;
  upstream::DnsResolver& resolver_;
  tracing::Exporter& exporter_;
  std::string version_;
  std::atomic<bool> configured_{false};
};

}  // namespace headgate::app
