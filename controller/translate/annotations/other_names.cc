#include "controller/translate/annotations/other_names.h"

#include <algorithm>
#include <string>

#include "common/host_pattern.h"
#include "common/strings.h"
#include "controller/translate/annotations/values.h"

namespace headgate::translate {

void ReadOtherNames(AnnotationReader& reader, IngressSettings& settings) {
  HeaderSettings& headers = settings.headers;
  if (const std::string* value = reader.Find("server-alias")) {
    for (const std::string_view name : SplitList(*value)) {
      if (name.starts_with('~')) {
        reader.Warn("server-alias", StrCat(QuoteValue(name), " is left out: regular expressions are no host names here"));
        continue;
      }
      const auto pattern = HostPattern::Parse(name);
      if (!pattern.ok()) {
        reader.RefuseValue("server-alias", "host names, separated by commas");
        continue;
      }
      std::string alias(pattern->text());
      const bool known = std::find(headers.aliases.begin(), headers.aliases.end(), alias) != headers.aliases.end();
      if (!known) headers.aliases.push_back(std::move(alias));
    }
  }
  if (const std::string* value = reader.Find("from-to-www-redirect")) {
    const auto wanted = ParseBool(*value);
    if (!wanted) return reader.RefuseValue("from-to-www-redirect", "true or false");
    headers.www_redirect = *wanted;
  }
}

}  // namespace headgate::translate
