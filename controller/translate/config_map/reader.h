// The options of the ConfigMap as the families read them. Values are strings; each is parsed on its
// own, and a bad one leaves the default in place and becomes a diagnostic.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "controller/kube/objects.h"
#include "controller/translate/diagnostic.h"

namespace headgate::translate {

class OptionReader {
 public:
  // References must outlive the reader, and the ConfigMap what Text and List give.
  OptionReader(const kube::ConfigMap& config_map, std::vector<Diagnostic>& diagnostics)
      : config_map_(config_map), diagnostics_(diagnostics) {}

  // Nothing when the option is not set, is blank, or, as far as the type goes, is bad. Blanks
  // around a value do not count.
  std::optional<std::string_view> Text(std::string_view name) const;
  std::optional<bool> Bool(std::string_view name);
  std::optional<int64_t> Int(std::string_view name, int64_t least, int64_t most);
  // Bytes, as "10m".
  std::optional<uint64_t> Size(std::string_view name);
  // As "75", which is seconds, "500ms" or "1h30m".
  std::optional<absl::Duration> Duration(std::string_view name);
  // The items between commas that are not blank.
  std::vector<std::string_view> List(std::string_view name) const;

  // The value is bad, and the default holds. `accepted` says what would be valid.
  void Ignore(std::string_view name, std::string_view accepted);
  // The same for a value that must not be shown.
  void IgnoreSecret(std::string_view name, std::string_view accepted);
  // The value asks for something that there is not here. `why`: one clause.
  void NoEffect(std::string_view name, std::string_view why);
  // The value is taken, and is not in effect as written.
  void Warn(std::string_view name, std::string_view message);

 private:
  void Complain(std::string_view name, std::string_view value, std::string_view accepted);

  const kube::ConfigMap& config_map_;
  std::vector<Diagnostic>& diagnostics_;
};

}  // namespace headgate::translate
