#include "controller/translate/annotations/unavailable.h"

#include "controller/translate/annotations/values.h"

namespace headgate::translate {

void ReadUnavailable(AnnotationReader& reader, IngressSettings&) {
  for (std::string_view name : kUnavailableNames) {
    const std::string* value = reader.Find(name);
    if (value == nullptr) continue;
    if (ParseBool(*value) == false) continue;  // a switch that is off asks for nothing
    if (reader.rules().ignore_waf) {
      reader.Warn(name,
                  "there is no firewall here; requests are let through as headgate-ignore-waf of "
                  "the ConfigMap says");
      continue;
    }
    reader.Deny(name,
                "there is no firewall here (headgate-ignore-waf of the ConfigMap lets requests "
                "through without one)");
  }
}

}  // namespace headgate::translate
