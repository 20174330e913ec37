#include "dataplane/policy/header_edits.h"

#include "dataplane/http/chars.h"

namespace headgate::policy {
namespace {

size_t RemoveAll(http::HeaderMap& fields, http::FieldId id, std::string_view name) {
  return id == http::FieldId::kOther ? fields.Remove(name) : fields.Remove(id);
}

}  // namespace

void Replace(http::HeaderMap& fields, http::FieldId id, std::string_view name, std::string_view value) {
  RemoveAll(fields, id, name);
  fields.Add(id, name, value);
}

void Apply(const HeaderEdits& edits, const VariableSource& source, base::Arena& arena, http::HeaderMap& fields) {
  for (const HeaderEdit& edit : edits) {
    const std::string_view value =
        edit.value.empty() ? std::string_view() : http::TrimBlanks(Expand(edit.value, source, arena));
    RemoveAll(fields, edit.id, edit.name);
    if (!value.empty() && http::IsFieldText(value)) fields.Add(edit.id, edit.name, value);
  }
}

}  // namespace headgate::policy
