// The units of the Translator that are ConfigMaps served as files.
#include <algorithm>
#include <utility>

#include "controller/translate/files.h"
#include "controller/translate/translator.h"

namespace headgate::translate {

void Translator::LinkFiles(const IngressModel& model) {
  for (kube::ObjectKey& config_map : ConfigMapsOf(*model.object)) {
    const auto [unit, added] = files_.try_emplace(config_map);
    unit->second.ingresses.push_back(&model);
    if (added) config_maps_changed_ = true;
    if (added) dirty_files_.insert(std::move(config_map));
  }
}

void Translator::UnlinkFiles(const IngressModel& model) {
  for (kube::ObjectKey& config_map : ConfigMapsOf(*model.object)) {
    auto& ingresses = files_.at(config_map).ingresses;
    ingresses.erase(std::find(ingresses.begin(), ingresses.end(), &model));
    if (ingresses.empty()) dirty_files_.insert(std::move(config_map));
  }
}

void Translator::RedoFiles() {
  for (const kube::ObjectKey& config_map : std::exchange(dirty_files_, {})) {
    const auto it = files_.find(config_map);
    if (it == files_.end()) continue;
    FilesUnit& unit = it->second;
    const bool unused = unit.ingresses.empty();
    log_.Set(FilesName(config_map), unit.resource,
             unused ? nullptr : TranslateFiles(state_->FindConfigMap(config_map)));
    for (const IngressModel* model : unit.ingresses) {
      log_.Set(ingresses_.at(model->key()).reference_diagnostics, CheckReferences(*model));
    }
    if (unused) config_maps_changed_ = true;
    if (unused) files_.erase(it);
  }
}

// --- fields of heads ---

void Translator::LinkHeaderMap(const IngressModel& model) {
  for (const kube::ObjectKey& config_map : HeaderConfigMapsOf(model)) {
    const auto [unit, added] = header_maps_.try_emplace(config_map);
    unit->second.ingresses.push_back(&model);
    if (added) config_maps_changed_ = true;
  }
}

void Translator::UnlinkHeaderMap(const IngressModel& model) {
  for (const kube::ObjectKey& config_map : HeaderConfigMapsOf(model)) {
    auto& ingresses = header_maps_.at(config_map).ingresses;
    ingresses.erase(std::find(ingresses.begin(), ingresses.end(), &model));
    if (!ingresses.empty()) continue;
    header_maps_.erase(config_map);
    config_maps_changed_ = true;
  }
}

void Translator::CheckHeaderMapOf(IngressUnit& unit) {
  std::vector<Diagnostic> diagnostics;
  if (unit.model != nullptr) {
    diagnostics =
        CheckHeaders(*unit.model, global_.ingress, config_map_of_,
                     [this](const kube::ObjectKey& key) { return state_->KnowsConfigMap(key); });
  }
  log_.Set(unit.header_diagnostics, std::move(diagnostics));
}

// Marks what depends on these ConfigMaps.
void Translator::RedoHeaderMaps(const state::KeySet& changed) {
  for (const kube::ObjectKey& config_map : changed) {
    if (config_map == global_.headers.request || config_map == global_.headers.response)
      dirty_settings_ = true;
    const auto unit = header_maps_.find(config_map);
    if (unit == header_maps_.end()) continue;
    for (const IngressModel* model : unit->second.ingresses) {
      MarkHosts(*model);
      CheckHeaderMapOf(ingresses_.at(model->key()));
    }
  }
}

std::optional<state::KeySet> Translator::TakeConfigMaps() {
  if (!std::exchange(config_maps_changed_, false)) return std::nullopt;
  state::KeySet keys;
  for (const auto& [config_map, unit] : files_) keys.insert(config_map);
  for (const auto& [config_map, unit] : header_maps_) keys.insert(config_map);
  for (const kube::ObjectKey& config_map : {global_.headers.request, global_.headers.response}) {
    if (!config_map.name.empty()) keys.insert(config_map);
  }
  for (const auto& config_map : {options_.tcp_services, options_.udp_services}) {
    if (config_map) keys.insert(*config_map);
  }
  return keys;
}

}  // namespace headgate::translate
