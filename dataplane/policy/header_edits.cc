#include "dataplane/policy/header_edits.h"

#include <algorithm>

#include "dataplane/http/chars.h"

namespace headgate::policy {
namespace {

size_t RemoveAll(http::HeaderMap& fields, http::FieldId id, std::string_view name) {
  return id == http::FieldId::kOther ? fields.Remove(name) : fields.Remove(id);
}

}  // namespace

void Replace(http::HeaderMap& fields, http::FieldId id, std::string_view name,
             std::string_view value) {
  RemoveAll(fields, id, name);
  fields.Add(id, name, value);
}

void Apply(const HeaderEdits& edits, const VariableSource& source, base::Arena& arena,
           http::HeaderMap& fields, uint16_t status) {
  for (const HeaderEdit& edit : edits) {
    const auto& statuses = edit.statuses;
    if (!statuses.empty() && std::find(statuses.begin(), statuses.end(), status) == statuses.end())
      continue;
    if (!Hold(edit.when, source, arena, /*when_in_doubt=*/false)) continue;
    const std::string_view value = edit.value.empty()
                                       ? std::string_view()
                                       : http::TrimBlanks(Expand(edit.value, source, arena));
    if (!edit.append) RemoveAll(fields, edit.id, edit.name);
    if (!value.empty() && http::IsFieldText(value)) fields.Add(edit.id, edit.name, value);
  }
}

}  // namespace headgate::policy
