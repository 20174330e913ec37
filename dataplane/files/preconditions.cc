#include "dataplane/files/preconditions.h"

#include "dataplane/http/date.h"
#include "dataplane/http/header_map.h"

namespace headgate::files {
namespace {

enum class Comparison : uint8_t { kStrong, kWeak };

// Whether one of the entity tags of a field, or "*", fits. What follows a malformed one is not
// looked at.
bool AnyTagFits(std::string_view field, std::string_view etag, Comparison comparison) {
  while (true) {
    const size_t start = field.find_first_not_of(" \t,");
    if (start == std::string_view::npos) return false;
    field.remove_prefix(start);
    if (field.front() == '*') return true;
    const bool weak = field.starts_with("W/");
    if (weak) field.remove_prefix(2);
    if (!field.starts_with('"')) return false;
    const size_t end = field.find('"', 1);
    if (end == std::string_view::npos) return false;
    const bool comparable = !weak || comparison == Comparison::kWeak;
    if (comparable && field.substr(0, end + 1) == etag) return true;
    field.remove_prefix(end + 1);
  }
}

struct TagCondition {
  bool given = false;
  bool fits = false;
};

// A list may be spread over several fields of the name.
TagCondition ReadTags(const http::RequestHead& request, std::string_view name,
                      std::string_view etag, Comparison comparison) {
  TagCondition result;
  for (const http::Field& field : request.fields) {
    if (field.id != http::FieldId::kOther || !http::EqualsIgnoreCase(field.name, name)) continue;
    result.given = true;
    result.fits = result.fits || AnyTagFits(field.value, etag, comparison);
  }
  return result;
}

std::optional<time_t> DateOf(const http::RequestHead& request, std::string_view name) {
  return http::ParseDate(request.fields.Get(name));
}

}  // namespace

Precondition EvaluatePreconditions(const http::RequestHead& request, const Validators& validators) {
  const auto if_match = ReadTags(request, "If-Match", validators.etag, Comparison::kStrong);
  if (if_match.given) {
    if (!if_match.fits) return Precondition::kFailed;
  } else if (validators.last_modified) {
    const auto date = DateOf(request, "If-Unmodified-Since");
    if (date && *validators.last_modified > *date) return Precondition::kFailed;
  }
  const auto if_none_match = ReadTags(request, "If-None-Match", validators.etag, Comparison::kWeak);
  if (if_none_match.given) {
    if (if_none_match.fits) return Precondition::kNotModified;
  } else if (validators.last_modified) {
    const auto date = DateOf(request, "If-Modified-Since");
    if (date && *validators.last_modified <= *date) return Precondition::kNotModified;
  }
  return Precondition::kProceed;
}

bool IfRangeHolds(const http::RequestHead& request, const Validators& validators) {
  const http::Field* field = request.fields.Find("If-Range");
  if (field == nullptr) return true;
  const std::string_view value = field->value;
  if (value.starts_with('"') || value.starts_with("W/")) return value == validators.etag;
  // Only an exact match: a date is a strong validator only as one that we gave out ourselves.
  const std::optional<time_t> date = http::ParseDate(value);
  return date && validators.last_modified && *date == *validators.last_modified;
}

}  // namespace headgate::files
