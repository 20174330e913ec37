#include "dataplane/policy/header_edits.h"

#include <algorithm>

#include "dataplane/http/chars.h"

namespace headgate::policy {
namespace {

bool IsFieldValue(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
  });
}

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
    if (!value.empty() && IsFieldValue(value)) fields.Add(edit.id, edit.name, value);
  }
}

}  // namespace headgate::policy
