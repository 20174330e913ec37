#include "controller/translate/config_map/stream_options.h"

#include <cstdint>
#include <optional>

namespace headgate::translate {
namespace {

constexpr absl::Duration kMost = absl::Hours(24);

void SetDuration(absl::Duration duration, google::protobuf::Duration& out) {
  const int64_t milliseconds = absl::ToInt64Milliseconds(duration);
  out.set_seconds(milliseconds / 1000);
  out.set_nanos(static_cast<int32_t>(milliseconds % 1000 * 1'000'000));
}

std::optional<absl::Duration> ReadDuration(OptionReader& reader, std::string_view name,
                                           absl::Duration least) {
  const std::optional<absl::Duration> duration = reader.Duration(name);
  if (!duration || (*duration >= least && *duration <= kMost)) return duration;
  reader.Ignore(name, least > absl::ZeroDuration() ? "more than 0 and at most 24h" : "0 to 24h");
  return std::nullopt;
}

}  // namespace

void ReadStreamOptions(OptionReader& reader, GlobalSettings& global) {
  v1::TcpService& stream = global.stream;
  if (const auto idle = ReadDuration(reader, "proxy-stream-timeout", absl::Milliseconds(1))) {
    SetDuration(*idle, *stream.mutable_idle_timeout());
  }
  const auto tries = reader.Int("proxy-stream-next-upstream-tries", 0, 1'000'000);
  const auto timeout =
      ReadDuration(reader, "proxy-stream-next-upstream-timeout", absl::ZeroDuration());
  if (!reader.Bool("proxy-stream-next-upstream").value_or(true)) {
    stream.set_tries(1);
  } else {
    if (tries) stream.set_tries(static_cast<uint32_t>(*tries));
    SetDuration(timeout.value_or(absl::Seconds(600)), *stream.mutable_tries_timeout());
  }
  stream.set_no_access_log(reader.Bool("disable-stream-access-log").value_or(false));
}

}  // namespace headgate::translate
