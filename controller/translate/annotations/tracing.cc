#include "controller/translate/annotations/tracing.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"

namespace headgate::translate {

void ReadTracing(AnnotationReader& reader, IngressSettings& settings) {
  TracingSettings& tracing = settings.headers.tracing;
  tracing.enabled = reader.Bool("enable-opentelemetry");
  if (!tracing.enabled.value_or(false)) return;
  tracing.trust_incoming = reader.Bool("opentelemetry-trust-incoming-span");
  const std::string* name = reader.Find("opentelemetry-operation-name");
  if (name == nullptr) return;
  const bool valid = std::all_of(name->begin(), name->end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '_' || c == '-';
  });
  if (!valid) return reader.RefuseValue("opentelemetry-operation-name", "letters, digits, _ and -");
  tracing.operation_name = *name;
}

}  // namespace headgate::translate
