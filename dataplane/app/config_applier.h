#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/config/config_builder.h"
#include "dataplane/control/applier.h"
#include "dataplane/control/control_thread.h"
#include "dataplane/worker/worker_pool.h"

namespace headgate::app {

// Compiles what the snapshot client brings and hands it to the workers. Lives on the control thread.
class ConfigApplier final : public control::Applier {
 public:
  // `workers` outlives this.
  ConfigApplier(config::ConfigBuilder::Options options, worker::WorkerPool& workers);

  control::ApplyResult Apply(std::string_view version, absl::Span<const v1::Resource* const> upserts,
                             absl::Span<const std::string> removed) override;

  // Control thread.
  const config::ConfigBuilder& builder() const { return builder_; }
  // The version in use; empty before the first.
  const std::string& version() const { return version_; }

  // True once a complete configuration went to the workers. Any thread.
  bool configured() const { return configured_.load(); }

 private:
  config::ConfigBuilder builder_;
  worker::WorkerPool& workers_;
  std::string version_;
  std::atomic<bool> configured_{false};
};

}  // namespace headgate::app
