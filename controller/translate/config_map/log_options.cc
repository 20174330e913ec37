#include "controller/translate/config_map/log_options.h"

#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/str_join.h"
#include "common/strings.h"
#include "controller/translate/config_map/text_patterns.h"
#include "controller/translate/log_format.h"

namespace headgate::translate {
namespace {

using v1::LogFormat;

// ingress-nginx's, which data planes write without being told.
constexpr std::string_view kDefaultLine =
    "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent "
    "\"$http_referer\" \"$http_user_agent\" $request_length $request_time [$proxy_upstream_name] "
    "[$proxy_alternative_upstream_name] $upstream_addr $upstream_response_length "
    "$upstream_response_time $upstream_status $req_id";

// Nothing: the default line holds.
std::optional<LogFormat> ReadFormat(OptionReader& reader, std::string_view name, LogSubject subject,
                                    LogFormat::Escape escape) {
  const auto text = reader.Text(name);
  if (!text) return std::nullopt;
  std::optional<ParsedLogFormat> parsed = ParseLogFormat(*text, subject, escape);
  if (!parsed) {
    reader.Ignore(name, "text with variables as $status or ${status}, up to 200 parts and 16 KiB");
    return std::nullopt;
  }
  if (!parsed->unknown.empty()) {
    reader.Warn(name, StrCat("without a value here, and logged as ",
                             escape == LogFormat::DEFAULT ? "\"-\"" : "nothing", ": $",
                             absl::StrJoin(parsed->unknown, ", $")));
  }
  return std::move(parsed->format);
}

LogFormat::Escape ReadEscape(OptionReader& reader) {
  const bool json = reader.Bool("log-format-escape-json").value_or(false);
  if (reader.Bool("log-format-escape-none").value_or(false)) return LogFormat::NONE;
  return json ? LogFormat::JSON : LogFormat::DEFAULT;
}

}  // namespace

void ReadLogOptions(OptionReader& reader, GlobalSettings& global) {
  v1::AccessLog log = global.settings.access_log();
  const LogFormat::Escape escape = ReadEscape(reader);
  if (auto line = ReadFormat(reader, "log-format-upstream", LogSubject::kRequest, escape)) {
    *log.mutable_request_line() = *std::move(line);
  } else if (escape != LogFormat::DEFAULT) {
    *log.mutable_request_line() =
        ParseLogFormat(kDefaultLine, LogSubject::kRequest, escape)->format;
  }
  if (auto line =
          ReadFormat(reader, "log-format-stream", LogSubject::kConnection, LogFormat::DEFAULT)) {
    *log.mutable_stream_line() = *std::move(line);
  }
  if (reader.Bool("disable-access-log").value_or(false)) log.set_disabled(true);
  if (reader.Bool("disable-http-access-log").value_or(false)) log.set_no_requests(true);
  ReadPatterns(reader, "skip-access-log-urls", *log.mutable_skipped_targets());
  if (reader.Bool("enable-access-log-for-default-backend").value_or(false)) {
    log.set_default_backend(true);
  }
  if (log.ByteSizeLong() > 0) *global.settings.mutable_access_log() = std::move(log);
}

}  // namespace headgate::translate
