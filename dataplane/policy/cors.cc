#include "dataplane/policy/cors.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "dataplane/policy/header_edits.h"

namespace headgate::policy {
namespace {

using http::FieldId;

constexpr std::string_view kWildcard = "://*.";

bool IsLabel(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-';
  });
}

bool Fits(std::string_view pattern, std::string_view origin) {
  const size_t star = pattern.find(kWildcard);
  if (star == std::string_view::npos) return http::EqualsIgnoreCase(pattern, origin);
  const std::string_view scheme = pattern.substr(0, star + 3);                // "https://"
  const std::string_view rest = pattern.substr(star + kWildcard.size() - 1);  // ".example.com:8443"
  if (origin.size() <= scheme.size() + rest.size()) return false;
  if (!http::EqualsIgnoreCase(origin.substr(0, scheme.size()), scheme)) return false;
  if (!http::EqualsIgnoreCase(origin.substr(origin.size() - rest.size()), rest)) return false;
  return IsLabel(origin.substr(scheme.size(), origin.size() - scheme.size() - rest.size()));
}

bool VariesByOrigin(const http::HeaderMap& fields) {
  for (const http::Field& field : fields) {
    if (!http::EqualsIgnoreCase(field.name, "vary")) continue;
    std::string_view list = field.value;
    while (!list.empty()) {
      const size_t comma = list.find(',');
      std::string_view item = list.substr(0, comma);
      while (item.starts_with(' ') || item.starts_with('\t')) item.remove_prefix(1);
      while (item.ends_with(' ') || item.ends_with('\t')) item.remove_suffix(1);
      if (item == "*" || http::EqualsIgnoreCase(item, "origin")) return true;
      list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    }
  }
  return false;
}

}  // namespace

bool Allows(const CorsPolicy& policy, std::string_view origin) {
  if (policy.any_origin) return true;
  return !origin.empty() &&
         std::any_of(policy.origins.begin(), policy.origins.end(),
                     [&](const std::string& pattern) { return Fits(pattern, origin); });
}

void AddCorsFields(const CorsPolicy& policy, std::string_view origin, http::HeaderMap& fields) {
  Replace(fields, FieldId::kOther, "Access-Control-Allow-Origin", policy.any_origin ? "*" : origin);
  if (!policy.any_origin && !VariesByOrigin(fields)) fields.Add(FieldId::kOther, "Vary", "Origin");
  for (const auto& [name, value] : policy.fields) Replace(fields, FieldId::kOther, name, value);
}

}  // namespace headgate::policy
