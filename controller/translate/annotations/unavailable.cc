#include "controller/translate/annotations/unavailable.h"

#include "controller/translate/annotations/values.h"

namespace headgate::translate {

void ReadUnavailable(AnnotationReader& reader, IngressSettings&) {
  for (std::string_view name : kUnavailableNames) {
    const std::string* value = reader.Find(name);
    if (value == nullptr) continue;
    if (name == "auth-snippet") {
      reader.Refuse(name, "snippets of NGINX configuration are never executed");
      continue;
    }
    // A switch that is off asks for nothing.
    if (name.starts_with("enable-") && ParseBool(*value) == false) continue;
    reader.Deny(name, "access control by this annotation is not available yet");
  }
}

}  // namespace headgate::translate
