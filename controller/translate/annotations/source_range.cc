#include "controller/translate/annotations/source_range.h"

#include <algorithm>
#include <string>

#include "common/strings.h"
#include "controller/translate/addresses.h"
#include "controller/translate/annotations/values.h"

namespace headgate::translate {
namespace {

std::optional<CidrList> ReadList(AnnotationReader& reader, std::string_view name) {
  const std::string* value = reader.Find(name);
  if (value == nullptr) return std::nullopt;
  // An empty value is no list either: who meant to close something must not open it.
  std::optional<CidrList> list = ParseCidrList(*value);
  if (!list) {
    reader.Deny(name, StrCat(QuoteValue(*value),
                             " is not valid, accepted: addresses and CIDRs, separated by commas"));
  }
  return list;
}

}  // namespace

std::optional<CidrList> ParseCidrList(std::string_view text) {
  CidrList list;
  for (const std::string_view item : SplitList(text)) {
    if (!IsCidr(item)) return std::nullopt;
    list.emplace_back(item);
  }
  if (list.empty()) return std::nullopt;
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
  return list;
}

void ReadSourceRange(AnnotationReader& reader, IngressSettings& settings) {
  AccessSettings& access = settings.access;
  const bool canonical = reader.Find("allowlist-source-range") != nullptr;
  access.allowed =
      ReadList(reader, canonical ? "allowlist-source-range" : "whitelist-source-range");
  access.denied = ReadList(reader, "denylist-source-range");
  const std::string* satisfy = reader.Find("satisfy");
  if (satisfy == nullptr) return;
  const std::string_view text = Trim(*satisfy);
  access.satisfy_any = text == "any";
  if (text != "any" && text != "all" && !text.empty()) reader.Ignore("satisfy", "any or all");
}

}  // namespace headgate::translate
