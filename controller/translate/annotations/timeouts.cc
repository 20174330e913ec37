#include "controller/translate/annotations/timeouts.h"

#include <cstdint>
#include <limits>

#include "controller/translate/annotations/values.h"

namespace headgate::translate {
namespace {

void ReadSeconds(AnnotationReader& reader, std::string_view name, std::optional<uint32_t>& out) {
  const std::string* value = reader.Find(name);
  if (value == nullptr) return;
  const std::optional<int64_t> seconds = ParseInt(*value);
  // More than 68 years does not fit the timers of anybody; 0 would fail every request.
  if (!seconds || *seconds < 1 || *seconds > std::numeric_limits<int32_t>::max()) {
    reader.Ignore(name, "a whole number of seconds, 1 or more, without a unit");
    return;
  }
  out = static_cast<uint32_t>(*seconds);
}

}  // namespace

void ReadTimeouts(AnnotationReader& reader, IngressSettings& settings) {
  ReadSeconds(reader, kTimeoutNames[0], settings.connect_timeout);
  ReadSeconds(reader, kTimeoutNames[1], settings.send_timeout);
  ReadSeconds(reader, kTimeoutNames[2], settings.read_timeout);
  ReadSeconds(reader, kTimeoutNames[3], settings.tunnel_idle_timeout);
}

}  // namespace headgate::translate
