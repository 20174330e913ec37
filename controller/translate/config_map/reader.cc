#include "controller/translate/config_map/reader.h"

#include "common/strings.h"
#include "controller/translate/annotations/values.h"

namespace headgate::translate {

std::optional<std::string_view> OptionReader::Text(std::string_view name) const {
  for (const auto& [key, value] : config_map_.data) {
    if (key != name) continue;
    const std::string_view text = Trim(value);
    if (text.empty()) return std::nullopt;
    return text;
  }
  return std::nullopt;
}

std::optional<bool> OptionReader::Bool(std::string_view name) {
  const std::optional<std::string_view> text = Text(name);
  if (!text) return std::nullopt;
  const std::optional<bool> value = ParseBool(*text);
  if (!value) Ignore(name, "true or false");
  return value;
}

std::optional<int64_t> OptionReader::Int(std::string_view name, int64_t least, int64_t most) {
  const std::optional<std::string_view> text = Text(name);
  if (!text) return std::nullopt;
  const std::optional<int64_t> value = ParseInt(*text);
  if (value && *value >= least && *value <= most) return value;
  Ignore(name, StrCat("a whole number from ", least, " to ", most));
  return std::nullopt;
}

std::optional<uint64_t> OptionReader::Size(std::string_view name) {
  const std::optional<std::string_view> text = Text(name);
  if (!text) return std::nullopt;
  const std::optional<uint64_t> value = ParseSize(*text);
  if (!value) Ignore(name, "a number of bytes, or one with k, m or g");
  return value;
}

std::optional<absl::Duration> OptionReader::Duration(std::string_view name) {
  const std::optional<std::string_view> text = Text(name);
  if (!text) return std::nullopt;
  const std::optional<absl::Duration> value = ParseDuration(*text);
  if (!value) Ignore(name, "a number of seconds, or one with ms, s, m, h or d");
  return value;
}

std::vector<std::string_view> OptionReader::List(std::string_view name) const {
  return SplitList(Text(name).value_or(""));
}

void OptionReader::Ignore(std::string_view name, std::string_view accepted) {
  Complain(name, QuoteValue(Text(name).value_or("")), accepted);
}

void OptionReader::IgnoreSecret(std::string_view name, std::string_view accepted) {
  Complain(name, "the value", accepted);
}

void OptionReader::NoEffect(std::string_view name, std::string_view why) {
  diagnostics_.push_back({kube::Kind::kConfigMap, config_map_.meta.key, StrCat("data.", name),
                          Reason::kUnknownOption, Severity::kWarning,
                          StrCat("without effect: ", why)});
}

void OptionReader::Complain(std::string_view name, std::string_view value,
                            std::string_view accepted) {
  Warn(name, StrCat(value, " is not valid, the default is used; accepted: ", accepted));
}

void OptionReader::Warn(std::string_view name, std::string_view message) {
  diagnostics_.push_back({kube::Kind::kConfigMap, config_map_.meta.key, StrCat("data.", name),
                          Reason::kInvalidOption, Severity::kWarning, std::string(message)});
}

}  // namespace headgate::translate
