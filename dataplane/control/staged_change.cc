#include "dataplane/control/staged_change.h"

#include <algorithm>
#include <utility>

namespace headgate::control {

void StagedChange::Add(v1::Delta delta) {
  bytes_ += delta.ByteSizeLong();
  const v1::Delta& part = *parts_.emplace_back(std::make_unique<const v1::Delta>(std::move(delta)));
  for (const v1::Resource& resource : part.upserts()) changes_[resource.name()] = &resource;
  for (const std::string& name : part.removed()) changes_[name] = nullptr;
}

void StagedChange::Remove(std::string_view name) {
  const std::string& owned = *extra_names_.emplace_back(std::make_unique<const std::string>(name));
  changes_[owned] = nullptr;
}

bool StagedChange::Upserts(std::string_view name) const {
  auto found = changes_.find(name);
  return found != changes_.end() && found->second != nullptr;
}

std::vector<const v1::Resource*> StagedChange::upserts() const {
  std::vector<const v1::Resource*> out;
  for (const auto& [name, resource] : changes_) {
    if (resource != nullptr) out.push_back(resource);
  }
  std::sort(out.begin(), out.end(),
            [](const v1::Resource* a, const v1::Resource* b) { return a->name() < b->name(); });
  return out;
}

std::vector<std::string> StagedChange::removed() const {
  std::vector<std::string> out;
  for (const auto& [name, resource] : changes_) {
    if (resource == nullptr) out.emplace_back(name);
  }
  std::sort(out.begin(), out.end());
  return out;
}

void StagedChange::Clear() {
  changes_.clear();
  parts_.clear();
  extra_names_.clear();
  bytes_ = 0;
}

}  // namespace headgate::control
