#include "controller/translate/config_map/annotation_options.h"

#include <algorithm>
#include <optional>

namespace headgate::translate {
namespace {

std::optional<Risk> ParseRisk(std::string_view text) {
  for (const Risk risk : {Risk::kLow, Risk::kMedium, Risk::kHigh, Risk::kCritical}) {
    if (text == RiskName(risk)) return risk;
  }
  return std::nullopt;
}

}  // namespace

void ReadAnnotationOptions(OptionReader& reader, GlobalSettings& global) {
  AnnotationRules& rules = global.annotations;
  rules.snippets = reader.Bool("allow-snippet-annotations").value_or(false);
  rules.strict_paths = reader.Bool("strict-validate-path-type").value_or(true);
  rules.ignore_waf = reader.Bool("ignore-waf").value_or(false);
  rules.waf = reader.Bool("enable-modsecurity").value_or(false);
  if (rules.waf && rules.ignore_waf) {
    reader.NoEffect(
        "enable-modsecurity",
        "there is no firewall here; Ingresses are served without one as ignore-waf says");
  }
  if (const auto text = reader.Text("annotations-risk-level")) {
    const std::optional<Risk> risk = ParseRisk(*text);
    if (!risk) reader.Ignore("annotations-risk-level", "Low, Medium, High or Critical");
    rules.highest = risk.value_or(rules.highest);
  }
  for (const std::string_view word : reader.List("annotation-value-word-blocklist"))
    rules.blocked_words.emplace_back(word);
  std::sort(rules.blocked_words.begin(), rules.blocked_words.end());
}

}  // namespace headgate::translate
