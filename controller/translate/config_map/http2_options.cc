#include "controller/translate/config_map/http2_options.h"

#include <cstdint>

namespace headgate::translate {

void ReadHttp2Options(OptionReader& reader, GlobalSettings& global) {
  constexpr int64_t kMostStreams = 10'000;
  if (!reader.Bool("use-http2").value_or(true)) {
    global.settings.mutable_http2()->set_disabled(true);
    global.annotations.http2 = false;
  }
  if (reader.Bool("enable-h2c").value_or(false)) {
    global.settings.mutable_http2()->set_on_plain_connections(true);
  }
  if (const auto streams = reader.Int("http2-max-concurrent-streams", 1, kMostStreams)) {
    global.settings.mutable_http2()->set_max_concurrent_streams(static_cast<uint32_t>(*streams));
  }
}

}  // namespace headgate::translate
