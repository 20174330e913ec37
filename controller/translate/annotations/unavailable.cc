#include "controller/translate/annotations/unavailable.h"

#include "controller/translate/annotations/values.h"

namespace headgate::translate {

void ReadUnavailable(AnnotationReader& reader, IngressSettings&) {
  for (std::string_view name : kUnavailableNames) {
    const std::string* value = reader.Find(name);
    const bool for_all = name == kUnavailableNames[0] && reader.rules().waf;
    if (value == nullptr && !for_all) continue;
    // A switch that is off asks for nothing.
    if (value != nullptr && ParseBool(*value) == false) continue;
    if (!reader.rules().ignore_waf) {
      reader.Deny(name,
                  value != nullptr
                      ? "there is no firewall here (ignore-waf of the ConfigMap lets requests "
                        "through without one)"
                      : "the ConfigMap asks for a firewall, and there is none here (ignore-waf "
                        "lets requests through without one)");
    } else if (value != nullptr) {
      reader.Warn(name,
                  "there is no firewall here; requests are let through as ignore-waf of the "
                  "ConfigMap says");
    }
  }
}

}  // namespace headgate::translate
