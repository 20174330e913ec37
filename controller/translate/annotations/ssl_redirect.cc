#include "controller/translate/annotations/ssl_redirect.h"

#include "controller/translate/annotations/values.h"

namespace headgate::translate {
namespace {

bool ReadBool(AnnotationReader& reader, std::string_view name, bool otherwise) {
  const std::string* value = reader.Find(name);
  if (value == nullptr) return otherwise;
  const std::optional<bool> parsed = ParseBool(*value);
  if (!parsed) reader.Ignore(name, "true or false");
  return parsed.value_or(otherwise);
}

}  // namespace

void ReadSslRedirect(AnnotationReader& reader, IngressSettings& settings) {
  const bool if_configured = ReadBool(reader, kSslRedirectNames[0], true);
  const bool always = ReadBool(reader, kSslRedirectNames[1], false);
  settings.https_redirect = always          ? HttpsRedirect::kAlways
                            : if_configured ? HttpsRedirect::kIfTlsConfigured
                                            : HttpsRedirect::kOff;
}

}  // namespace headgate::translate
