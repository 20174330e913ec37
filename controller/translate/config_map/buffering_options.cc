#include "controller/translate/config_map/buffering_options.h"

#include <cstdint>
#include <limits>

#include "controller/translate/annotations/values.h"

namespace headgate::translate {
namespace {

// Both true and on: ingress-nginx has switches of either kind here.
std::optional<bool> Switch(OptionReader& reader, std::string_view name) {
  const std::optional<std::string_view> text = reader.Text(name);
  if (!text) return std::nullopt;
  std::optional<bool> value = ParseOnOff(*text);
  if (!value) value = ParseBool(*text);
  if (!value) reader.Ignore(name, "on or off");
  return value;
}

}  // namespace

void ReadBufferingOptions(OptionReader& reader, GlobalSettings& global) {
  BufferingSettings options;
  options.request = Switch(reader, "proxy-request-buffering");
  options.request_memory = reader.Size("client-body-buffer-size");
  options.response = Switch(reader, "proxy-buffering");
  options.response_buffer = reader.Size("proxy-buffer-size");
  options.response_buffers =
      reader.Int("proxy-buffers-number", 1, std::numeric_limits<int32_t>::max());
  options.response_file = reader.Size("proxy-max-temp-file-size");
  options.response_busy = reader.Size("proxy-busy-buffers-size");
  if (options != BufferingSettings()) SetBuffering(options, *global.settings.mutable_buffering());
}

}  // namespace headgate::translate
