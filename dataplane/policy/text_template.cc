#include "dataplane/policy/text_template.h"

#include <cstring>

#include "absl/container/inlined_vector.h"

namespace headgate::policy {

std::string_view Expand(const TextTemplate& text, const VariableSource& source,
                        base::Arena& arena) {
  absl::InlinedVector<std::string_view, 8> values;
  size_t size = 0;
  for (const TextTemplate::Part& part : text.parts) {
    values.push_back(part.variable == Variable::kNone ? std::string_view(part.text)
                                                      : source.Value(part, arena));
    size += values.back().size();
  }
  if (values.size() == 1) return values.front();
  char* const memory = arena.Allocate(size);
  char* at = memory;
  for (const std::string_view value : values) {
    if (!value.empty()) std::memcpy(at, value.data(), value.size());
    at += value.size();
  }
  return {memory, size};
}

}  // namespace headgate::policy
