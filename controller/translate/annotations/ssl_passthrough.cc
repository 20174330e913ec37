#include "controller/translate/annotations/ssl_passthrough.h"

#include "controller/translate/annotations/values.h"

namespace headgate::translate {

void ReadSslPassthrough(AnnotationReader& reader, IngressSettings& settings) {
  const std::string* value = reader.Find(kSslPassthroughNames[0]);
  if (value == nullptr) return;
  const std::optional<bool> passthrough = ParseBool(*value);
  if (!passthrough) reader.RefuseValue(kSslPassthroughNames[0], "true or false");
  settings.ssl_passthrough = passthrough.value_or(false);
}

}  // namespace headgate::translate
