#include "controller/state/batcher.h"

#include <algorithm>

namespace headgate::state {

void Batcher::OnChange(absl::Duration now) {
  if (!first_) first_ = now;
  last_ = now;
}

std::optional<absl::Duration> Batcher::Deadline() const {
  if (!first_) return std::nullopt;
  return std::min(last_ + options_.quiet, *first_ + options_.cap);
}

bool Batcher::Due(absl::Duration now) const {
  const std::optional<absl::Duration> deadline = Deadline();
  return deadline.has_value() && now >= *deadline;
}

void Batcher::Clear() { first_.reset(); }

}  // namespace headgate::state
