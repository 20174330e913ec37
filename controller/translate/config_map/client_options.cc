#include "controller/translate/config_map/client_options.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "absl/strings/numbers.h"
#include "common/strings.h"
#include "controller/translate/annotations/values.h"

namespace headgate::translate {
namespace {

constexpr int64_t kMostSeconds = 1'000'000;
// What data planes take (Limits.max_request_head_bytes).
constexpr uint64_t kLeastHead = 1024;
constexpr uint64_t kMostHead = 1024 * 1024;

void ReadTimes(OptionReader& reader, v1::Settings& settings) {
  if (const auto seconds = reader.Int("client-header-timeout", 1, kMostSeconds)) {
    settings.mutable_timeouts()->mutable_client_header()->set_seconds(*seconds);
  }
  if (const auto seconds = reader.Int("client-body-timeout", 1, kMostSeconds)) {
    settings.mutable_timeouts()->mutable_client_body()->set_seconds(*seconds);
  }
  if (const auto seconds = reader.Int("keep-alive", 0, kMostSeconds)) {
    settings.mutable_timeouts()->mutable_client_idle()->set_seconds(*seconds);
  }
  if (const auto count =
          reader.Int("keep-alive-requests", 1, std::numeric_limits<int32_t>::max())) {
    settings.mutable_limits()->set_max_requests_per_connection(static_cast<uint32_t>(*count));
  }
}

// "NUMBER SIZE": as much as all buffers hold together. Where one of them would be too small for a
// line, NGINX refuses what is taken here.
std::optional<uint64_t> ParseHeadBuffers(std::string_view text) {
  const size_t blank = text.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  uint64_t number = 0;
  if (!absl::SimpleAtoi(ToAbsl(text.substr(0, blank)), &number) || number == 0 ||
      number > kMostHead)
    return std::nullopt;
  const std::optional<uint64_t> size = ParseSize(text.substr(text.find_first_not_of(' ', blank)));
  if (!size || *size > kMostHead) return std::nullopt;
  const uint64_t bytes = number * *size;
  if (bytes < kLeastHead || bytes > kMostHead) return std::nullopt;
  return bytes;
}

}  // namespace

void ReadClientOptions(OptionReader& reader, GlobalSettings& global) {
  ReadTimes(reader, global.settings);
  if (const auto text = reader.Text("large-client-header-buffers")) {
    if (const auto bytes = ParseHeadBuffers(*text)) {
      global.settings.mutable_limits()->set_max_request_head_bytes(static_cast<uint32_t>(*bytes));
    } else {
      reader.Ignore("large-client-header-buffers",
                    "a number and a size, 1k to 1m in all, as \"4 16k\"");
    }
  }
  if (const auto bytes = reader.Size("proxy-body-size"))
    global.settings.mutable_limits()->set_max_request_body_bytes(*bytes);
  if (reader.Bool("enable-underscores-in-headers").value_or(false))
    global.settings.mutable_limits()->set_pass_underscores(true);
  if (!reader.Bool("ignore-invalid-headers").value_or(true)) {
    reader.NoEffect("ignore-invalid-headers",
                    "a request with a malformed field name is answered 400, for nobody can tell "
                    "where its fields end");
  }
}

}  // namespace headgate::translate
