#include "controller/translate/annotations/unavailable.h"

#include "controller/translate/annotations/values.h"

namespace headgate::translate {

void ReadUnavailable(AnnotationReader& reader, IngressSettings&) {
  for (std::string_view name : kUnavailableNames) {
    const std::string* value = reader.Find(name);
    if (value == nullptr) continue;
    if (ParseBool(*value) == false) continue;  // a switch that is off asks for nothing
    reader.Deny(name, "access control by this annotation is not available yet");
  }
}

}  // namespace headgate::translate
