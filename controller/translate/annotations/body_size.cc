#include "controller/translate/annotations/body_size.h"

#include "controller/translate/annotations/values.h"

namespace headgate::translate {

void ReadBodySize(AnnotationReader& reader, IngressSettings& settings) {
  const std::string_view name = kBodySizeNames[0];
  const std::string* value = reader.Find(name);
  if (value == nullptr) return;
  settings.max_request_body = ParseSize(*value);
  if (!settings.max_request_body) {
    reader.Ignore(name, "digits with an optional unit k, m or g, for example 8m; 0 for no limit");
  }
}

}  // namespace headgate::translate
