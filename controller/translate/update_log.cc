#include "controller/translate/update_log.h"

#include <utility>

#include "controller/translate/one_line.h"

namespace headgate::translate {

void UpdateLog::Set(const std::string& name, ResourcePtr& slot, ResourcePtr value) {
  if (slot == nullptr && value == nullptr) return;
  if (slot != nullptr && value != nullptr && slot->hash() == value->hash()) return;
  resource_count_ += value != nullptr ? 1 : 0;
  resource_count_ -= slot != nullptr ? 1 : 0;
  const auto [it, first] = touched_resources_.try_emplace(name);
  if (first) it->second.before = slot;
  it->second.after = value;
  slot = std::move(value);
}

void UpdateLog::Set(std::vector<Diagnostic>& slot, std::vector<Diagnostic> value) {
  MakeOneLine(value);
  if (slot == value) return;
  for (const Diagnostic& diagnostic : value) Count(diagnostic, +1);
  for (const Diagnostic& diagnostic : slot) Count(diagnostic, -1);
  slot = std::move(value);
}

void UpdateLog::Count(const Diagnostic& diagnostic, int by) {
  const auto it = diagnostics_.try_emplace(diagnostic, 0).first;
  touched_diagnostics_.try_emplace(diagnostic, it->second > 0);
  it->second += by;
  if (it->second == 0) diagnostics_.erase(it);
}

TranslationUpdate UpdateLog::Take() {
  TranslationUpdate update;
  for (auto& [name, touched] : touched_resources_) {
    const bool same = touched.before != nullptr && touched.after != nullptr &&
                      touched.before->hash() == touched.after->hash();
    if (touched.after == nullptr) {
      if (touched.before != nullptr) update.removed.push_back(name);
    } else if (!same) {
      update.upserted.push_back(std::move(touched.after));
    }
  }
  for (const auto& [diagnostic, held] : touched_diagnostics_) {
    const bool holds = diagnostics_.contains(diagnostic);
    if (holds && !held) update.raised.push_back(diagnostic);
    if (!holds && held) update.cleared.push_back(diagnostic);
  }
  touched_resources_.clear();
  touched_diagnostics_.clear();
  update.resource_count = resource_count_;
  return update;
}

}  // namespace headgate::translate
