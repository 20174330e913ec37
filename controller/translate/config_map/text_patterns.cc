#include "controller/translate/config_map/text_patterns.h"

#include <string>
#include <utility>

#include "common/regex.h"

namespace headgate::translate {
namespace {

bool IsRegex(const std::string& text) {
  std::string error;
  return Regex::Compile(text, Regex::Anchor::kNone, Regex::Case::kSensitive, &error) != nullptr;
}

}  // namespace

void ReadPatterns(OptionReader& reader, std::string_view name,
                  google::protobuf::RepeatedPtrField<v1::TextPattern>& out) {
  bool bad = false;
  for (const std::string_view item : reader.List(name)) {
    v1::TextPattern pattern;
    if (item.starts_with("~*")) {
      pattern.set_ignore_case_regex(std::string(item.substr(2)));
    } else if (item.starts_with('~')) {
      pattern.set_regex(std::string(item.substr(1)));
    } else {
      pattern.set_exact(std::string(item));
    }
    if (IsRegex(pattern.has_regex() ? pattern.regex() : pattern.ignore_case_regex())) {
      *out.Add() = std::move(pattern);
    } else {
      bad = true;
    }
  }
  if (bad) {
    reader.Ignore(
        name,
        "text, ~REGEX and ~*REGEX, separated by commas; the items that are valid are in effect");
  }
}

}  // namespace headgate::translate
