// The unit of the Translator that is all TCP services.
#include <algorithm>
#include <utility>

#include "controller/translate/stream_services.h"
#include "controller/translate/translator.h"

namespace headgate::translate {

void Translator::MarkStreams(const state::Changes& changes) {
  const auto changed = [&](const std::optional<ObjectKey>& config_map) {
    return config_map && changes.config_maps.contains(*config_map);
  };
  if (changed(options_.tcp_services) || changed(options_.udp_services)) dirty_streams_ = true;
  for (const ObjectKey& service : streams_.services) {
    if (changes.services.contains(service)) dirty_streams_ = true;
  }
}

void Translator::RedoStreams() {
  if (!std::exchange(dirty_streams_, false)) return;
  const auto config_map = [this](const std::optional<ObjectKey>& key) {
    if (!key) return StreamConfigMap();
    return StreamConfigMap{state_->FindConfigMap(*key), state_->KnowsMissingConfigMap(*key)};
  };
  StreamServices streams = TranslateStreamServices(
      config_map(options_.tcp_services), config_map(options_.udp_services),
      [this](const ObjectKey& service) { return state_->FindService(service); }, global_, options_);
  for (auto& [name, resource] : streams_.resources) {
    const bool stays =
        std::any_of(streams.resources.begin(), streams.resources.end(),
                    [&name = name](const ResourcePtr& next) { return next->name() == name; });
    if (!stays) log_.Set(name, resource, nullptr);
  }
  std::erase_if(streams_.resources, [](const auto& entry) { return entry.second == nullptr; });
  for (ResourcePtr& resource : streams.resources) {
    const std::string name = resource->name();
    log_.Set(name, streams_.resources[name], std::move(resource));
  }
  for (const ClusterRef& cluster : streams.clusters) AcquireCluster(cluster);
  for (const ClusterRef& cluster : streams_.clusters) ReleaseCluster(cluster);
  streams_.clusters = std::move(streams.clusters);
  streams_.services = std::move(streams.services);
  log_.Set(streams_.diagnostics, std::move(streams.diagnostics));
}

}  // namespace headgate::translate
