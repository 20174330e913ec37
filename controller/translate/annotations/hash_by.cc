#include "controller/translate/annotations/hash_by.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "common/strings.h"
#include "controller/translate/annotations/values.h"
#include "controller/translate/text_template.h"

namespace headgate::translate {
namespace {

constexpr std::string_view kTheirs = "upstream-hash-by";
constexpr std::string_view kOwn = "headgate.dev/hash-by";
constexpr std::string_view kTemplate =
    "letters, digits, -, _ and variables as $request_uri or ${remote_addr}";
constexpr int64_t kMostPerSubset = 1'000'000;

bool IsTemplateText(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           std::string_view("-_${}").find(c) != std::string_view::npos;
  });
}

// False: it is no template.
bool ReadTemplate(AnnotationReader& reader, std::string_view name, const std::string& value,
                  BalancingSettings& out) {
  const auto parsed = IsTemplateText(value) ? ParseTemplate(value) : std::nullopt;
  if (!parsed) return false;
  if (!parsed->unknown.empty()) {
    reader.Warn(name, StrCat("without a value here, and taken as empty: $",
                             absl::StrJoin(parsed->unknown, ", $")));
  }
  out.hash_by = parsed->text.SerializeAsString();
  return true;
}

}  // namespace

void ReadHashBy(AnnotationReader& reader, UpstreamSettings& settings) {
  BalancingSettings& out = settings.balancing;
  if (const std::string* value = reader.Find(kTheirs); value != nullptr && !value->empty()) {
    if (!ReadTemplate(reader, kTheirs, *value, out)) reader.RefuseValue(kTheirs, kTemplate);
  }
  uint32_t subset_size = 3;
  if (const std::string* value = reader.Find("upstream-hash-by-subset-size")) {
    const auto size = ParseInt(*value);
    if (size && *size >= 1 && *size <= kMostPerSubset) {
      subset_size = static_cast<uint32_t>(*size);
    } else {
      reader.RefuseValue("upstream-hash-by-subset-size", "a whole number, 1 or more");
    }
  }
  if (const std::string* value = reader.Find("upstream-hash-by-subset")) {
    const auto subset = ParseBool(*value);
    if (!subset) reader.RefuseValue("upstream-hash-by-subset", "true or false");
    if (subset.value_or(false)) out.hash_subset_size = subset_size;
  }
  if (const std::string* value = reader.Find(kOwn)) {
    if (!ReadTemplate(reader, kOwn, *value, out)) reader.Ignore(kOwn, kTemplate);
  }
  if (const std::string* value = reader.Find("headgate.dev/hash-bound")) {
    const auto percent = ParseInt(*value);
    if (percent && (*percent == 0 || (*percent > 100 && *percent <= 1000))) {
      out.hash_bound_percent = static_cast<uint32_t>(*percent);
    } else {
      reader.Ignore("headgate.dev/hash-bound", "0, or a percentage from 101 to 1000");
    }
  }
}

}  // namespace headgate::translate
