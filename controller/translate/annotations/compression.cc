#include "controller/translate/annotations/compression.h"

#include "controller/translate/annotations/values.h"

namespace headgate::translate {

void ReadCompression(AnnotationReader& reader, IngressSettings& settings) {
  const std::string_view name = kCompressionNames[0];
  const std::string* value = reader.Find(name);
  if (value == nullptr) return;
  const std::optional<bool> compression = ParseOnOff(*value);
  if (!compression)
    return reader.Deny(name, QuoteValue(*value) + " is not valid, accepted: on or off");
  settings.no_compression = !*compression;
}

}  // namespace headgate::translate
