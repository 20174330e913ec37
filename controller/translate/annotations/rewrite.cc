#include "controller/translate/annotations/rewrite.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "controller/translate/annotations/values.h"

namespace headgate::translate {
namespace {

constexpr size_t kMaxValue = 2048;

// Letters, digits and - . _ ~ / : $; each '$' before a digit from 1 to 9 or, where `scheme` is
// known, before "scheme".
bool IsTemplate(std::string_view text, bool scheme) {
  constexpr std::string_view kMarks = "-._~/:$";
  constexpr std::string_view kScheme = "scheme";
  if (text.empty() || text.size() > kMaxValue) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && kMarks.find(c) == kMarks.npos)
      return false;
    if (c != '$') continue;
    const std::string_view rest = text.substr(i + 1);
    const bool group = !rest.empty() && rest.front() >= '1' && rest.front() <= '9';
    if (!group && !(scheme && rest.starts_with(kScheme))) return false;
  }
  return true;
}

}  // namespace

void ReadRewrite(AnnotationReader& reader, IngressSettings& settings) {
  if (const std::string* value = reader.Find("rewrite-target")) {
    const std::string_view target = Trim(*value);
    if (IsTemplate(target, /*scheme=*/true)) {
      settings.rewrite_target = std::string(target);
    } else if (!target.empty()) {
      reader.Ignore("rewrite-target",
                    "a path or URL of letters, digits and - . _ ~ / : with $1 to $9");
    }
  }
  settings.use_regex = reader.Bool("use-regex").value_or(false);
  if (const std::string* value = reader.Find("app-root")) {
    const std::string_view path = Trim(*value);
    if (path.starts_with('/') && IsTemplate(path, false) && path.find('$') == path.npos) {
      settings.app_root = std::string(path);
    } else if (!path.empty()) {
      reader.Ignore("app-root", "a path that starts with /");
    }
  }
  if (const std::string* value = reader.Find("x-forwarded-prefix")) {
    const std::string_view prefix = Trim(*value);
    if (IsTemplate(prefix, /*scheme=*/false)) {
      settings.forwarded_prefix = std::string(prefix);
    } else if (!prefix.empty()) {
      reader.RefuseValue("x-forwarded-prefix",
                         "a path of letters, digits and - . _ ~ / : with $1 to $9");
    }
  }
}

}  // namespace headgate::translate
