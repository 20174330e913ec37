#include "controller/translate/annotations/other_names.h"

#include <algorithm>
#include <string>
#include <utility>

#include "common/host_pattern.h"
#include "common/strings.h"
#include "controller/translate/annotations/values.h"

namespace headgate::translate {

std::vector<std::string> AliasesIn(std::string_view value) {
  std::vector<std::string> aliases;
  for (const std::string_view name : SplitList(value)) {
    const auto pattern = HostPattern::Parse(name);
    if (!pattern.ok()) continue;
    std::string alias(pattern->text());
    if (std::find(aliases.begin(), aliases.end(), alias) == aliases.end())
      aliases.push_back(std::move(alias));
  }
  return aliases;
}

void ReadOtherNames(AnnotationReader& reader, IngressSettings& settings) {
  HeaderSettings& headers = settings.headers;
  if (const std::string* value = reader.Find(kServerAlias)) {
    for (const std::string_view name : SplitList(*value)) {
      if (name.starts_with('~')) {
        reader.Warn(
            kServerAlias,
            StrCat(QuoteValue(name), " is left out: regular expressions are no host names here"));
      } else if (!HostPattern::Parse(name).ok()) {
        reader.RefuseValue(kServerAlias, "host names, separated by commas");
      }
    }
    headers.aliases = AliasesIn(*value);
  }
  if (const std::string* value = reader.Find("from-to-www-redirect")) {
    const auto wanted = ParseBool(*value);
    if (!wanted) return reader.RefuseValue("from-to-www-redirect", "true or false");
    headers.www_redirect = *wanted;
  }
}

}  // namespace headgate::translate
