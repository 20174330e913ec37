#include "controller/translate/annotations/connections.h"

#include <string>

#include "controller/translate/annotations/values.h"

namespace headgate::translate {

std::optional<bool> ParseHttpVersion(std::string_view value) {
  if (Trim(value) == "1.0") return true;
  if (Trim(value) == "1.1") return false;
  return std::nullopt;
}

void ReadConnections(AnnotationReader& reader, UpstreamSettings& settings) {
  const std::string* value = reader.Find("proxy-http-version");
  if (value == nullptr) return;
  settings.connections.http_1_0 = ParseHttpVersion(*value);
  if (!settings.connections.http_1_0) reader.Ignore("proxy-http-version", kHttpVersions);
}

}  // namespace headgate::translate
