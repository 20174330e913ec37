#include "dataplane/policy/header_edits.h"

#include <algorithm>

#include "dataplane/http/chars.h"

namespace headgate::policy {
namespace {

size_t RemoveAll(http::HeaderMap& fields, http::FieldId id, std::string_view name) {
  return id == http::FieldId::kOther ? fields.Remove(name) : fields.Remove(id);
}

// `remove(edit)` takes away what the edit is in place of.
template <typename Remove>
void Apply(const HeaderEdits& edits, const VariableSource& source, base::Arena& arena,
           http::HeaderMap& fields, uint16_t status, Remove remove) {
  for (const HeaderEdit& edit : edits) {
    const auto& statuses = edit.statuses;
    if (!statuses.empty() && std::find(statuses.begin(), statuses.end(), status) == statuses.end())
      continue;
    if (!Hold(edit.when, source, arena, /*when_in_doubt=*/false)) continue;
    const std::string_view value = edit.value.empty()
                                       ? std::string_view()
                                       : http::TrimBlanks(Expand(edit.value, source, arena));
    if (!edit.append) remove(edit);
    if (!value.empty() && http::IsFieldText(value)) fields.Add(edit.id, edit.name, value);
  }
}

}  // namespace

void Replace(http::HeaderMap& fields, http::FieldId id, std::string_view name,
             std::string_view value) {
  RemoveAll(fields, id, name);
  fields.Add(id, name, value);
}

void ApplyToRequest(const HeaderEdits& edits, const VariableSource& source, base::Arena& arena,
                    http::HeaderMap& fields) {
  Apply(edits, source, arena, fields, 0, [&](const HeaderEdit& edit) {
    // Nothing that looks like a field we know gets this far (http::Underscores).
    if (edit.id != http::FieldId::kOther) return fields.Remove(edit.id);
    return fields.RemoveAlike(edit.name);
  });
}

void ApplyToResponse(const HeaderEdits& edits, const VariableSource& source, base::Arena& arena,
                     http::HeaderMap& fields, uint16_t status) {
  Apply(edits, source, arena, fields, status,
        [&](const HeaderEdit& edit) { return RemoveAll(fields, edit.id, edit.name); });
}

}  // namespace headgate::policy
