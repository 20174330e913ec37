#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "dataplane/config/compiled_config.h"

namespace headgate::proxy {

// One worker's hold on one generation of the configuration. Exchanges count themselves in and out
// with plain numbers; the shared pointer behind it is touched only when a generation comes and when
// its last user has gone.
class ConfigGeneration {
 public:
  explicit ConfigGeneration(std::shared_ptr<const config::CompiledConfig> config)
      : config_(std::move(config)) {}
  ConfigGeneration(const ConfigGeneration&) = delete;
  ConfigGeneration& operator=(const ConfigGeneration&) = delete;

  const config::CompiledConfig& config() const { return *config_; }
  uint32_t pins() const { return pins_; }

  // Gives the reference away, to be dropped on the control thread.
  std::shared_ptr<const config::CompiledConfig> TakeConfig() { return std::move(config_); }

 private:
  friend class ConfigPin;
  std::shared_ptr<const config::CompiledConfig> config_;
  uint32_t pins_ = 0;
};

// Keeps a generation alive for one exchange. Same thread as the worker.
class ConfigPin {
 public:
  ConfigPin() = default;
  explicit ConfigPin(ConfigGeneration& generation) : generation_(&generation) {
    ++generation.pins_;
  }
  ConfigPin(ConfigPin&& other) noexcept : generation_(std::exchange(other.generation_, nullptr)) {}
  ConfigPin& operator=(ConfigPin&& other) noexcept {
    if (this != &other) {
      Release();
      generation_ = std::exchange(other.generation_, nullptr);
    }
    return *this;
  }
  ~ConfigPin() { Release(); }

  void Release() {
    if (generation_ != nullptr) --std::exchange(generation_, nullptr)->pins_;
  }
  const config::CompiledConfig* operator->() const { return generation_->config_.get(); }
  const config::CompiledConfig& operator*() const { return *generation_->config_; }

 private:
  ConfigGeneration* generation_ = nullptr;
};

}  // namespace headgate::proxy
