#include "controller/translate/annotations/basic_auth.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "common/strings.h"
#include "controller/translate/annotations/values.h"
#include "controller/translate/names.h"

namespace headgate::translate {
namespace {

// Empty when it is not set, or blank.
std::string_view Text(const AnnotationReader& reader, std::string_view name) {
  const std::string* value = reader.Find(name);
  return value == nullptr ? std::string_view() : Trim(*value);
}

bool IsRealm(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           std::string_view("-._~/: ").find(c) != std::string_view::npos;
  });
}

// "NAME", of the Ingress's own namespace, or "NS/NAME".
std::optional<kube::ObjectKey> ParseSecret(const AnnotationReader& reader, std::string_view text) {
  if (text.find('/') != std::string_view::npos) return ParseReference(text);
  if (!IsNamePart(text)) return std::nullopt;
  return kube::ObjectKey{reader.ns(), std::string(text)};
}

}  // namespace

void ReadBasicAuth(AnnotationReader& reader, IngressSettings& settings) {
  const std::string_view type = Text(reader, "auth-type");
  const std::string_view secret = Text(reader, "auth-secret");
  const std::string_view form = Text(reader, "auth-secret-type");
  const std::string_view realm = Text(reader, "auth-realm");
  if (!form.empty() && form != "auth-file" && form != "auth-map") {
    reader.RefuseValue("auth-secret-type", "auth-file or auth-map");
  }
  if (!IsRealm(realm)) reader.RefuseValue("auth-realm", "letters, digits, blanks and - . _ ~ / :");
  if (type.empty()) {
    if (!secret.empty()) reader.Deny("auth-secret", "there is no auth-type to say how it is used");
    return;
  }
  if (type != "basic" && type != "digest")
    return reader.RefuseValue("auth-type", "basic or digest");
  if (secret.empty()) return reader.Deny("auth-type", "there is no auth-secret with the users");
  std::optional<kube::ObjectKey> key = ParseSecret(reader, secret);
  if (!key) {
    return reader.Deny("auth-secret",
                       StrCat(QuoteValue(secret), " is neither NAME nor NAMESPACE/NAME"));
  }
  settings.access.password =
      PasswordSettings{*std::move(key), type == "digest", form == "auth-map", std::string(realm)};
}

}  // namespace headgate::translate
