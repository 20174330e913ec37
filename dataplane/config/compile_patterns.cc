#include "dataplane/config/compile_patterns.h"

#include "common/regex.h"
#include "dataplane/config/compile_values.h"

namespace headgate::config {

absl::StatusOr<std::vector<policy::TextPattern>> CompilePatterns(
    const std::string& field, const google::protobuf::RepeatedPtrField<v1::TextPattern>& in) {
  std::vector<policy::TextPattern> out;
  for (int i = 0; i < in.size(); ++i) {
    policy::TextPattern& added = out.emplace_back();
    if (in[i].has_exact()) {
      added.exact = in[i].exact();
      continue;
    }
    const std::string& text = in[i].has_regex() ? in[i].regex() : in[i].ignore_case_regex();
    const auto letters = in[i].has_regex() ? Regex::Case::kSensitive : Regex::Case::kIgnored;
    std::string error;
    added.regex = Regex::Compile(text, Regex::Anchor::kNone, letters, &error);
    if (added.regex == nullptr) return FieldError(StrCat(field, "[", i, "]"), error);
  }
  return out;
}

}  // namespace headgate::config
